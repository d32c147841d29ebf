"""Stands between programs and the emulators: hands calls on, has some meet faults, and shows all to a witness.

Faults are of replies, and of whether and how often the work is done. What a program sends is handed on as it is: AWS
checks a request against its signature and refuses one that was damaged.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.faults.catalogue import Fault, Planned, Round
from tests.chaos.faults.wire import MOST_HEAD_BYTES, Asked, Message, asked, read_reply, read_request

DELAY_SECONDS = (0.2, 1.5)
REFUSALS: dict[Fault, tuple[str, str, str]] = {
    "503": ("503 Slow Down", "SlowDown", "ServiceUnavailable"),
    "500": ("500 Internal Server Error", "InternalError", "InternalError"),
    "500 after the work": ("500 Internal Server Error", "InternalError", "InternalError"),
    "throttling": ("400 Bad Request", "ThrottlingException", "RequestThrottled"),
}
"""Status, code of S3, code of SQS."""
WITHOUT_WORK = frozenset({"503", "500", "throttling", "reset", "200 without the work, cut within the headers"})

Saw = Callable[[Asked, Message, Message | None], None]
"""Told each request that is handed on before that (without a reply), and with its reply after it."""


class Weather:
    """What is done to the calls of the round that is being played, and what was. Used in the proxy's thread alone."""

    def __init__(self, shared_queue: str | None) -> None:
        """`shared_queue`: see `proxies`."""
        self._shared = shared_queue
        self._runs: set[str] = set()
        self._over: set[str] = set()
        self.met: Counter[tuple[str, Fault]] = Counter()
        self.keys_met: set[str] = set()
        self._calls: Counter[str] = Counter()
        self._round: Round | None = None

    def begin(self, round_: Round | None) -> None:
        """None: no faults."""
        self.met, self.keys_met, self._calls, self._round = Counter(), set(), Counter(), round_
        self._over |= self._runs

    def fault_of(self, about: Asked) -> tuple[Planned, random.Random] | None:
        """The fault that this call meets; none where it is of a round that is over: a worker may be late with some."""
        if self._shared is not None and about.run not in ("", self._shared):
            self._runs.add(about.run)
            if about.run in self._over:
                return None
        before = self._calls[about.call]
        self._calls[about.call] += 1
        for planned in self._round.planned if self._round else ():
            if planned.call.name == about.call and planned.after <= before < planned.after + planned.times:
                assert self._round is not None
                self.met[planned.pair] += 1
                self.keys_met.add(about.key)
                return planned, random.Random(f"{self._round.seed} {about.call} {before}")
        return None


class Proxy:
    """In front of one emulator."""

    def __init__(self, upstream: str, weather: Weather, saw: Saw) -> None:
        self._upstream = urlsplit(upstream)
        self._weather = weather
        self._saw = saw
        self.url = ""

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MOST_HEAD_BYTES)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader, writer)) is not None:
                if not await self._answer(request, reader, writer):
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # somebody broke off, or all is over
        finally:
            writer.close()

    async def _answer(self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        about = asked(request)
        hit = self._weather.fault_of(about)
        if hit is None:
            reply = await self._unless_gone(self._hand_on(about, request), reader)
            if reply is not None:
                writer.write(reply.whole)
                await writer.drain()
            return reply is not None
        planned, chance = hit
        fault = planned.fault
        if fault == "delay":
            await asyncio.sleep(chance.uniform(*DELAY_SECONDS))
        if fault == "done twice":
            await self._hand_on(about, request)
        reply = None if fault in WITHOUT_WORK else await self._unless_gone(self._hand_on(about, request), reader)
        if fault.startswith("reset"):
            _reset(writer)
            return False
        writer.write(_mangled(fault, request, reply, chance))
        await writer.drain()
        return fault in HARMLESS_FOR_CONNECTIONS

    async def _hand_on(self, about: Asked, request: Message) -> Message:
        self._saw(about, request, None)
        reader, writer = await asyncio.open_connection(
            self._upstream.hostname, self._upstream.port, limit=MOST_HEAD_BYTES
        )
        try:
            writer.write(request.whole)
            await writer.drain()
            reply = await read_reply(reader, request.first_line.split()[0])
        finally:
            writer.close()
        self._saw(about, request, reply)
        return reply

    @staticmethod
    async def _unless_gone(work: Coroutine[Any, Any, Message], reader: asyncio.StreamReader) -> Message | None:
        """Null where the client breaks off meanwhile: the server has to learn that, above all during a long poll."""
        answered, gone = asyncio.ensure_future(work), asyncio.ensure_future(reader.read(1))
        await asyncio.wait([answered, gone], return_when=asyncio.FIRST_COMPLETED)
        for either in (answered, gone):
            either.cancel()
        await asyncio.wait([answered, gone])
        return None if answered.cancelled() else answered.result()


HARMLESS_FOR_CONNECTIONS = frozenset(
    {"delay", "done twice", "503", "500", "500 after the work", "throttling", "flipped bits"}
)


def _mangled(fault: Fault, request: Message, reply: Message | None, chance: random.Random) -> bytes:
    if fault in REFUSALS:
        return _refusal(fault, request)
    if reply is None:
        reply = Message(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n", b"")
    if "within the headers" in fault:
        return reply.head[: chance.randint(len("HTTP/1.1 200"), len(reply.head) - len("\r\n\r\n"))]
    if fault == "cut within the body":
        return reply.head + reply.body[: chance.randrange(len(reply.body))] if reply.body else reply.head[:-2]
    if fault == "flipped bits" and reply.body:
        body = bytearray(reply.body)
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        return reply.head + bytes(body)
    return reply.whole


def _refusal(fault: Fault, request: Message) -> bytes:
    status, s3_code, sqs_code = REFUSALS[fault]
    if "x-amz-target" in request.headers:
        kind, body = "application/x-amz-json-1.0", f'{{"__type": "com.amazonaws.sqs#{sqs_code}", "message": "a fault"}}'
    else:
        kind, body = "application/xml", f"<Error><Code>{s3_code}</Code><Message>a fault</Message></Error>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + ("" if request.first_line.startswith("HEAD") else body)).encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    """What a client sees of a host that vanished: no orderly end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxies:
    """Of both services, in a thread of their own."""

    def __init__(self, s3: Proxy, sqs: Proxy, weather: Weather, loop: asyncio.AbstractEventLoop) -> None:
        self.s3_url, self.sqs_url = s3.url, sqs.url
        self._weather = weather
        self._loop = loop

    def begin(self, round_: Round | None) -> None:
        self._call(lambda: self._weather.begin(round_))

    def met(self) -> tuple[Counter[tuple[str, Fault]], set[str]]:
        """How often each fault was met, and at which keys."""
        return self._weather.met.copy(), set(self._weather.keys_met)

    def _call(self, work: Callable[[], None]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(work)
        self._loop.call_soon_threadsafe(done.set)
        done.wait()


async def _end(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def proxies(s3_url: str, sqs_url: str, saw: Saw, *, shared_queue: str | None = None) -> Iterator[Proxies]:
    """In front of both emulators, for the length of the block.

    `shared_queue`: every round has a run of its own, and nothing in common with the others but the queue of this name.
    Null: a run goes on through all rounds.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    weather = Weather(shared_queue)
    s3, sqs = Proxy(s3_url, weather, saw), Proxy(sqs_url, weather, saw)
    servers = [asyncio.run_coroutine_threadsafe(proxy.listen(), loop).result() for proxy in (s3, sqs)]
    try:
        yield Proxies(s3, sqs, weather, loop)
    finally:
        asyncio.run_coroutine_threadsafe(_end(servers), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
