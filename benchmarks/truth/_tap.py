"""Hands bytes on between a client and a server, and writes down when which of them passed. Knows no HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic_ns
from urllib.parse import urlsplit

from benchmarks.truth._spans import Mark

CHUNK_BYTES = 1 << 18
HEAD_CHARACTERS = 400


@dataclass
class Tap:
    """What passed so far."""

    url: str
    marks: list[Mark] = field(default_factory=list)


@contextmanager
def tap(upstream: str) -> Iterator[Tap]:
    """In front of the server at this URL, while the block lasts."""
    parts = urlsplit(upstream)
    assert parts.hostname is not None
    assert parts.port is not None
    server = (parts.hostname, parts.port)
    listener = socket.create_server(("127.0.0.1", 0))
    found = Tap(f"http://127.0.0.1:{listener.getsockname()[1]}")
    threading.Thread(target=_accept, args=(listener, server, found), daemon=True).start()
    try:
        yield found
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, server: tuple[str, int], found: Tap) -> None:
    with suppress(OSError):  # the listener is closed
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, server, found), daemon=True).start()


def _serve(client: socket.socket, server: tuple[str, int], found: Tap) -> None:
    with client, socket.create_connection(server) as onward:
        for each in (client, onward):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        replies = threading.Thread(target=_replies, args=(onward, client, found), daemon=True)
        replies.start()
        _requests(client, onward, found)
        replies.join()


def _requests(client: socket.socket, onward: socket.socket, found: Tap) -> None:
    with suppress(OSError):
        while chunk := client.recv(CHUNK_BYTES):
            # Stamped before it goes on: the client has begun.
            found.marks.append(Mark(monotonic_ns(), chunk[:HEAD_CHARACTERS].decode("latin-1")))
            onward.sendall(chunk)
        onward.shutdown(socket.SHUT_WR)


def _replies(onward: socket.socket, client: socket.socket, found: Tap) -> None:
    with suppress(OSError):
        while chunk := onward.recv(CHUNK_BYTES):
            client.sendall(chunk)
            found.marks.append(Mark(monotonic_ns(), None))
        client.shutdown(socket.SHUT_WR)
