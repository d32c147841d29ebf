"""One environment of a function: a process that asks the runtime interface for invocations, frozen in between.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from orchestrator.local.http_server import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOOK_SECONDS = 0.02
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Invocation:
    body: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class RuntimeInterface:
    """What a process of the function talks to: one invocation after the other, and what it says of each."""

    def __init__(self, arn: str) -> None:
        self.asked = threading.Event()
        """It waits for an invocation now."""
        self.said: SimpleQueue[str | None] = SimpleQueue()
        """Of each invocation: null, or what went wrong."""
        self._arn = arn
        self._next: SimpleQueue[tuple[Invocation, float] | None] = SimpleQueue()
        self._server = serve(self._application)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def invoke(self, invocation: Invocation, deadline: float) -> None:
        """`deadline`: Unix time in seconds."""
        self.asked.clear()
        self._next.put((invocation, deadline))

    def close(self) -> None:
        self._next.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        path = environ["PATH_INFO"].removeprefix("/2018-06-01/runtime/")
        if path == "invocation/next":
            return self._answer_next(start_response)
        said = environ["wsgi.input"].read().decode()
        failed = path.endswith("/error")
        self.said.put(said if failed else None)
        start_response("202 Accepted", [("Content-Type", "application/json")])
        return [b"{}"]

    def _answer_next(self, start_response: StartResponse) -> list[bytes]:
        self.asked.set()
        given = self._next.get()
        if given is None:
            start_response("410 Gone", [])
            return [b""]
        invocation, deadline = given
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.id),
            ("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self._arn),
        ]
        start_response("200 OK", headers)
        return [invocation.body]


class Environment:
    """Starts its process when it is first needed, and again after one that died or did not end in time."""

    def __init__(self, arn: str, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        self._arn = arn
        self._command = command
        self._variables = variables
        self._log = log
        self._sandbox: Sandbox | None = None

    def run(self, invocation: Invocation, timeout_seconds: float) -> str | None:
        """Null when the function has done it; else what went wrong."""
        try:
            if self._sandbox is None:
                self._sandbox = Sandbox(self._arn, self._command, self._variables, self._log)
                self._sandbox.wait_until_ready()
            return self._sandbox.run(invocation, timeout_seconds)
        except (TimeoutError, ChildProcessError) as error:
            self.end()
            return str(error)

    def end(self) -> None:
        """Kills the process with all that it started; from any thread."""
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.end()

    def processes(self) -> list[int]:
        """Ids of the process and of its children."""
        return [] if self._sandbox is None else self._sandbox.processes()


class Sandbox:
    """One process of the function and its runtime interface."""

    def __init__(self, arn: str, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        self._interface = RuntimeInterface(arn)
        variables = {**variables, "AWS_LAMBDA_RUNTIME_API": self._interface.address}
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        """Raises ChildProcessError where it does not come up, with what it said."""
        ends = time.monotonic() + START_SECONDS
        while not self._interface.asked.wait(LOOK_SECONDS):
            with suppress(Empty):
                raise ChildProcessError(self._interface.said.get_nowait())
            if self._process.poll() is not None or time.monotonic() > ends:
                raise ChildProcessError("the runtime ended before it asked for an invocation")

    def run(self, invocation: Invocation, timeout_seconds: float) -> str | None:
        """What it said. Raises TimeoutError, and ChildProcessError where the process ends over it."""
        self._signal(signal.SIGCONT)
        deadline = time.time() + timeout_seconds
        self._interface.invoke(invocation, deadline)
        said = self._heard(deadline)
        self._freeze()
        return said

    def _heard(self, deadline: float) -> str | None:
        while time.time() < deadline:
            with suppress(Empty):
                return self._interface.said.get(timeout=LOOK_SECONDS)
            if self._process.poll() is not None:
                raise ChildProcessError("Runtime exited")
        raise TimeoutError("Task timed out")

    def _freeze(self) -> None:
        """Lambda does so once the runtime asks for the next one."""
        while not self._interface.asked.wait(LOOK_SECONDS):
            if self._process.poll() is not None:
                raise ChildProcessError("Runtime exited")
        self._signal(signal.SIGSTOP)

    def end(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._interface.close()

    def processes(self) -> list[int]:
        """Ids of its process group."""
        found = subprocess.run(["pgrep", "-g", str(self._process.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
