"""The endpoint that ECS's agent has for a container, as far as it protects tasks: a real server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TASK = "arn:aws:ecs:us-east-1:123456789012:task/stack/1"


class Agent:
    """What it was asked, and what it answers: a status and a body for the number and the body of a request."""

    def __init__(self) -> None:
        self.uri = ""
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.silent = threading.Event()
        self.answers: Callable[[int, dict[str, Any]], tuple[int, str]] = lambda _, body: self.granted(body)

    def granted(self, body: dict[str, Any]) -> tuple[int, str]:
        expires = "2030-01-01T00:00:00Z" if body["ProtectionEnabled"] else None
        state = {"ExpirationDate": expires, "ProtectionEnabled": body["ProtectionEnabled"], "TaskArn": TASK}
        return 200, json.dumps({"protection": state})


@contextmanager
def agent_at_work() -> Iterator[Agent]:
    """Answers until the block ends."""
    agent, over = Agent(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:  # its name
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            agent.asked.append(body)
            agent.paths.append(self.path)
            if agent.silent.is_set():
                over.wait()
            status, answer = agent.answers(len(agent.asked), body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer.encode())))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    agent.uri = f"http://127.0.0.1:{server.server_address[1]}/api/v4-id"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield agent
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
