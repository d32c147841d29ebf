"""A registry of images, as much of it as a push and a look need, on a free port of this machine.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md names the calls.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORIGIN = re.compile(r"^/v2/(?P<name>.+)/(?P<kind>blobs|manifests)/(?P<what>[^?]+)")


@dataclass
class Stored:
    """What was pushed: bytes by digest, and manifests (type, bytes) by tag and by digest."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)

    def manifest(self, tag: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.manifests[tag][1])
        return found


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    stored: Stored

    def do_GET(self) -> None:
        """A blob, a manifest, or whether this is a registry at all."""
        match = ORIGIN.match(self.path)
        if match is None:
            self._answer(200 if self.path == "/v2/" else 404)
        elif match["kind"] == "blobs":
            found = self.stored.blobs.get(match["what"])
            self._answer(404 if found is None else 200, found or b"", "application/octet-stream")
        elif match["what"] in self.stored.manifests:
            kind, body = self.stored.manifests[match["what"]]
            self._answer(200, body, kind, {"Docker-Content-Digest": _digest(body)})
        else:
            self._answer(404)

    do_HEAD = do_GET  # noqa: N815 # the name that http.server calls

    def do_POST(self) -> None:
        """An upload begins."""
        number = uuid.uuid4().hex
        self.stored.uploads[number] = self._body()
        self._answer(202, headers={"Location": f"{self.path}{number}"})

    def do_PATCH(self) -> None:
        """An upload goes on."""
        number = self.path.rpartition("/")[2]
        self.stored.uploads[number] += self._body()
        self._answer(202, headers={"Location": self.path})

    def do_PUT(self) -> None:
        """An upload ends, or a manifest comes."""
        match = ORIGIN.match(self.path)
        assert match
        if match["kind"] == "manifests":
            body = self._body()
            for name in (match["what"], _digest(body)):
                self.stored.manifests[name] = (self.headers["Content-Type"], body)
        else:
            body = self.stored.uploads.pop(match["what"].rpartition("/")[2]) + self._body()
            self.stored.blobs[_digest(body)] = body
        self._answer(201, headers={"Location": self.path, "Docker-Content-Digest": _digest(body)})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while length := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes = b"", kind: str = "", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: a push that fails says so itself."""


@contextmanager
def registry() -> Iterator[tuple[str, Stored]]:
    """Host and port, and what is stored, for the length of the block."""
    stored = Stored()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"stored": stored}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", stored
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
