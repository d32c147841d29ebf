"""HTTP/1.1 with connections that stay open, for the emulators.

werkzeug's own server ends every connection after one response, which costs each call of a client a new connection and
hides what a kept one would show. This handler reads a request's body exactly to its end, so that the next request can
follow on the same connection. A body that breaks off is no request: S3 would not store half an object either.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import traceback
from typing import TYPE_CHECKING, Any, cast

from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# A header and a body this small leave in one packet's worth of system calls.
_JOINED_RESPONSE_BYTES = 65_536
_DRAIN_BYTES = 1_048_576

_current = threading.local()


def client_is_gone() -> bool:
    """Whether the client of the request that this thread serves has closed its connection."""
    connection: socket.socket = _current.connection
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


class Body:
    """The bytes of one request's body. Raises ConnectionError where the client breaks off before their end."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; all that is left where `size` is negative."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = cast(bytes, self._stream.read(wanted)) if wanted else b""
        if len(data) < wanted:
            raise ConnectionError("the client broke off within a request's body")
        self._left -= len(data)
        return data


class Handler(WSGIRequestHandler):
    """One connection: its requests one after the other, without a log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Serves one request."""
        _current.connection = self.connection
        self.environ = environ = self.make_environ()
        body = environ["wsgi.input"]
        if isinstance(body, DechunkedInput):
            self.close_connection = True
        else:
            body = Body(self.rfile, int(self.headers.get("content-length") or 0))
            environ["wsgi.input"], environ["wsgi.input_terminated"] = body, True
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            answer[:] = [status, headers]

        try:
            content = b"".join(self.server.app(environ, start_response))
            while body.read(_DRAIN_BYTES):
                pass
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 # a server goes on, and the client learns that it was no fault of its own
            traceback.print_exc()
            self.close_connection = True
            answer, content = ["500 Internal Server Error", []], b""
        self._respond(answer[0], answer[1], content)
        self.environ = {}

    def _respond(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, message = status.partition(" ")
        self.send_response(int(code), message)
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name, _ in headers} and int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        if self.command != "HEAD" and len(content) < _JOINED_RESPONSE_BYTES:
            self._headers_buffer.append(b"\r\n" + content)
            self.flush_headers()
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log(
        self,
        type: str,  # noqa: A002 # named so by werkzeug
        message: str,
        *args: Any,
    ) -> None:
        """Nothing: clients are told what is wrong, and a log would only cost time."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class Server(ThreadedWSGIServer):
    """A thread for each connection."""

    def server_bind(self) -> None:
        """Binds without the look-up of this host's name that http.server makes and that can take seconds."""
        socketserver.TCPServer.server_bind(self)


def serve(app: WSGIApplication) -> Server:
    """A server on a free port of 127.0.0.1 that accepts connections; `serve_forever` answers them."""
    return Server("127.0.0.1", 0, app, handler=Handler)
