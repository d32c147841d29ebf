"""An HTTP server that stands between a client and an emulator: hands on, refuses, breaks off, and remembers.

It numbers the answers with `x-amz-request-id`, which S3 gives and the emulator does not.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536
SILENCE_SECONDS = 3.0
ANSWERS = {
    "refuse": (503, b"<Error><Code>SlowDown</Code><Message>slow down</Message></Error>"),
    "forbid": (403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


@dataclass
class Seen:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Interference:
    """What is done to the next requests, in order, and what was seen so far."""

    endpoint: str = ""
    faults: deque[Literal["refuse", "forbid", "break off", "flip", "reset", "be silent"]] = field(default_factory=deque)
    """`refuse`: 503; `forbid`: 403; `break off`: half of the answer's body, and the connection's end; `flip`: a bit of
    the body is another; `reset`: the connection's end without an answer; `be silent`: that after SILENCE_SECONDS."""
    faulty_method: str = "GET"
    """Or several, with spaces between."""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    body_bytes_given: int = 0
    """Of answers, as far as the client took them."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Begin anew, with the server and its open connections as they are."""
        with self.lock:
            self.faults.clear()
            self.seen.clear()
            self.faulty_method = "GET"
            self.connections = self.body_bytes_given = 0

    def saw(self, request: Seen) -> str:
        """The request's id."""
        with self.lock:
            self.seen.append(request)
            return f"R{len(self.seen)}"

    def fault_for(self, method: str) -> str | None:
        with self.lock:
            return self.faults.popleft() if self.faults and method in self.faulty_method.split() else None

    def methods(self) -> list[str]:
        return [request.method for request in self.seen]


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    target: str
    interference: Interference

    def setup(self) -> None:
        super().setup()
        with self.interference.lock:
            self.interference.connections += 1

    def log_message(self, *_: Any) -> None:
        pass

    def _handle(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.id = self.interference.saw(Seen(self.command, self.path, headers))
        fault = self.interference.fault_for(self.command)
        if fault in ANSWERS:
            status, content = ANSWERS[fault]
            self._answer(status, [], b"" if self.command == "HEAD" else content)
            return
        if fault in ("reset", "be silent"):
            self._reset(SILENCE_SECONDS if fault == "be silent" else 0)
            return
        onward = http.client.HTTPConnection(self.target)
        onward.request(self.command, self.path, body, {**self._onward_headers(), "Content-Length": str(len(body))})
        answer = onward.getresponse()
        content = answer.read()
        length = answer.getheader("content-length") if self.command == "HEAD" else str(len(content))
        onward.close()
        if fault == "break off":
            content = content[: len(content) // 2]
            self.close_connection = True
        if fault == "flip" and content:
            content = bytes([content[0] ^ 1]) + content[1:]
        self._answer(answer.status, answer.getheaders(), content, length)

    def _reset(self, after_seconds: float) -> None:
        """What a client sees of a host that vanished: no orderly end."""
        time.sleep(after_seconds)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RD)
        self.wfile.close()
        self.rfile.close()
        self.connection.close()

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _onward_headers(self) -> dict[str, str]:
        """Without those of this connection alone; nobody but it was asked to wait for a `100 Continue`."""
        of_here = HOP_BY_HOP | {"expect"}
        return {name: value for name, value in self.headers.items() if name.lower() not in of_here}

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("x-amz-request-id", self.id)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        try:
            for start in range(0, len(content), CHUNK_BYTES):
                self._give(content[start : start + CHUNK_BYTES])
        except ConnectionError:
            self.close_connection = True

    def _give(self, chunk: bytes) -> None:
        self.wfile.write(chunk)
        with self.interference.lock:
            self.interference.body_bytes_given += len(chunk)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815 # named so by http.server


@contextmanager
def interfering(endpoint: str) -> Iterator[Interference]:
    """A server in front of `endpoint`, for the length of the block."""
    interference = Interference()
    between = {"target": urlsplit(endpoint).netloc, "interference": interference}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), between))
    server.daemon_threads = True
    interference.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield interference
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
