"""Stands between our programs and the emulators, hands all calls on as they are, and holds some up on their way.

A client's connection has one of its own to the emulator, and both stay: a call costs little more than without.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.faults.wire import MOST_HEAD_BYTES, Message, asked, read_reply, read_request
from tests.delays.places import Delays

MOST_HOLD_SECONDS = 10.0
"""For what does not come: the run shall fail, and not hang."""
Step = tuple[int, int]
"""Chain and number."""
_OF_A_STEP = re.compile(r"/chain(\d+)-step(\d+)-")


@dataclass(frozen=True)
class Call:
    """Which call a request is, of which step. Null: of none, or of one that only the reply tells."""

    name: str
    step: Step | None


class Traffic:
    """What passed so far, of all that go through the proxies; used in their thread alone."""

    def __init__(self, delays: Delays, steps_queue: str) -> None:
        self._delays = delays
        self._steps_queue = steps_queue
        self.held: Counter[str] = Counter()
        """By place, how many were held up."""
        self._received: dict[str, Step] = {}
        self._sent: defaultdict[tuple[str, Step], asyncio.Event] = defaultdict(asyncio.Event)

    def call(self, request: Message) -> Call:
        about = asked(request)
        kind = "step message" if about.queue == self._steps_queue else "completion"
        match about.call:
            case "GetObject":
                # A step's input is the output of the one before.
                return Call("S3 GET", _following(_step_of_key(about.key)))
            case "PutObject":
                return Call("S3 PUT", _step_of_key(about.key))
            case "SendMessage":
                return Call(f"{kind}'s send", _step_of_body(json.loads(request.body)["MessageBody"]))
            case "ReceiveMessage":
                return Call(f"{kind}'s receive", _following(self._received.get(kind)))
        return Call(about.call, None)

    async def hold_request(self, call: Call) -> None:
        if call.step is None:
            return
        if self._delays.of(*call.step) == f"{call.name}: request after the send":
            sent = self._sent[call.name.replace("receive", "send"), call.step]
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(sent.wait(), MOST_HOLD_SECONDS)
            await self._hold_at(f"{call.name}: request after the send", call.step)
        await self._hold_at(f"{call.name}: request", call.step)

    async def hold_reply(self, call: Call, reply: Message) -> None:
        step = call.step
        if call.name.endswith("receive"):
            step = _step_of_receive(reply)
        if step is None:
            return
        if call.name.endswith("receive"):
            self._received[call.name.removesuffix("'s receive")] = step
        if call.name.endswith("send"):
            self._sent[call.name, step].set()
        await self._hold_at(f"{call.name}: reply", step)

    async def _hold_at(self, place: str, step: Step) -> None:
        if self._delays.of(*step) == place:
            await asyncio.sleep(self._delays.delay_seconds)
            self.held[place] += 1


class Proxy:
    """In front of one emulator."""

    def __init__(self, upstream: str, traffic: Traffic) -> None:
        self._upstream = urlsplit(upstream)
        self._traffic = traffic

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MOST_HEAD_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(
            self._upstream.hostname, self._upstream.port, limit=MOST_HEAD_BYTES
        )
        try:
            while (request := await read_request(reader, writer)) is not None:
                call = self._traffic.call(request)
                await self._traffic.hold_request(call)
                to_server.write(request.whole)
                reply = await read_reply(from_server, request.first_line.split()[0])
                await self._traffic.hold_reply(call, reply)
                writer.write(reply.whole)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # somebody broke off, or all is over
        finally:
            to_server.close()
            writer.close()


@dataclass(frozen=True)
class Proxies:
    """Where they listen, and what they did."""

    s3_url: str
    sqs_url: str
    held: Counter[str]


@contextmanager
def proxies(delays: Delays, s3_url: str, sqs_url: str, steps_queue: str) -> Iterator[Proxies]:
    """In front of the emulators at these URLs. `steps_queue`: its name; all other queues have completions."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="delays", daemon=True)
    thread.start()

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    traffic = Traffic(delays, steps_queue)
    servers: list[asyncio.Server] = [do(Proxy(url, traffic).listen()) for url in (s3_url, sqs_url)]
    try:
        here = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers]
        yield Proxies(here[0], here[1], traffic.held)
    finally:
        do(_end(servers))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _step_of_key(key: str) -> Step | None:
    found = _OF_A_STEP.search(f"/{key}")
    return (int(found[1]), int(found[2])) if found else None


def _step_of_body(body: str) -> Step:
    told: dict[str, Any] = json.loads(body)
    return told["chain"], told["step"]


def _step_of_receive(reply: Message) -> Step | None:
    """Of the one message that it brings."""
    messages = json.loads(reply.body or b"{}").get("Messages") or []
    return _step_of_body(messages[0]["Body"]) if messages else None


def _following(step: Step | None) -> Step | None:
    return (step[0], step[1] + 1) if step else None
