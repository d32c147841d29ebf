"""The keeper's side of its executors: starts, feeds and watches them; ends those that are stuck.

Executors are started afresh, not forked: SDKs with threads of their own do not survive a fork. One that is ready has
done its imports and opened its first connection, so its start is in no figure.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from stepbench import deaths, open_files
from stepbench.errors import EnvironmentRefused, ExecutorDied, StepTimeout
from stepbench.executors.handshake import READY, ExecutorConfig
from stepbench.executors.phase_board import PhaseBoard
from stepbench.messages import Completion, StepMessage, parse
from stepbench.package_path import with_our_packages
from stepbench.settings import named

START_TIMEOUT_SECONDS = 120.0

log = structlog.get_logger()


class ExecutorProcess:
    """One executor. Used from one thread at a time, but for `kill` and `disown`."""

    def __init__(self, config: ExecutorConfig, environment: Mapping[str, str] | None = None) -> None:
        """`environment` of the process; this one's where it is not given."""
        self.name = config.executor
        self.steps_run = 0
        self._closed = False
        self._step: StepMessage | None = None
        self._step_lock = threading.Lock()
        self._board = PhaseBoard.create()
        try:
            self._process = self._started(with_our_packages(os.environ if environment is None else environment))
        except BaseException:
            self._board.close()
            raise
        self._send(config.model_dump_json().encode())

    def _started(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with _interrupts_blocked():
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "worker.executor", str(self._board.fd)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(self._board.fd,),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises EnvironmentRefused if it does not come up; its own words are on stderr by then."""
        if self._receive(START_TIMEOUT_SECONDS) != READY:
            raise EnvironmentRefused(f"executor {self.name} did not start; what it said stands above")

    def begin(self, message: StepMessage) -> bool:
        """Hand over a step; does not wait. False if it is gone and never learns of the step: another may have it.

        Else `finish` tells what came of it.
        """
        with self._step_lock:
            self._step = message
            self._board.mark(disowned=False)
        return self._send(message.model_dump_json().encode())

    def lives(self) -> bool:
        return self._process.poll() is None

    def disown(self, message: StepMessage) -> None:
        """From any thread: if this is the step that it has, it shall begin no upload for it. It goes on to there."""
        with self._step_lock:
            if self._step is message:
                self._board.mark(disowned=True)

    def finish(self, message: StepMessage) -> Completion:
        """What came of the step that was begun; waits for it.

        Raises StepTimeout or ExecutorDied, with `phase` set; the executor is then of no more use.
        """
        line = self._receive(message.step_timeout_seconds)
        if line is None:
            phase = self._board.current()
            self.kill()
            raise StepTimeout(f"the step ran longer than STEP_TIMEOUT={message.step_timeout_seconds:g} s", phase=phase)
        if not line.endswith(b"\n"):
            raise ExecutorDied(f"executor {self.name} {self.death()}", phase=self._board.current())
        self.steps_run += 1
        return parse(Completion, line)

    def kill(self) -> None:
        """End it at once, from any thread; whoever waits in `finish` gets ExecutorDied."""
        self._process.kill()

    def close(self) -> None:
        """End it and let go of what it used; does nothing the second time.

        It has no step, so nothing is lost by not asking it politely.
        """
        with self._step_lock:
            closed, self._closed, self._step = self._closed, True, None
        if closed:
            return
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:  # the rest of a line that nobody reads any more
                continue
        self._board.close()

    def _send(self, line: bytes) -> bool:
        """Whether there is somebody to read it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def _receive(self, timeout_seconds: float) -> bytes | None:
        """The next line; empty if the executor is gone, null if there was none in time."""
        assert self._process.stdout is not None
        poller = select.poll()
        poller.register(self._process.stdout, select.POLLIN)
        if not poller.poll(timeout_seconds * 1000):
            return None
        # An executor writes a line in one go, so this does not wait for long.
        return self._process.stdout.readline()

    def death(self) -> str:
        """How it ended; waits for that."""
        return deaths.how(self._process.wait())


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """What is started meanwhile inherits it, and keeps it from its first instruction on.

    Ctrl-C on a terminal reaches every process there; how an executor ends is its keeper's decision.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ExecutorFactory:
    """Starts executors, each with a name of its own."""

    def __init__(self, template: ExecutorConfig, environment: Mapping[str, str] | None = None) -> None:
        self._template = template
        self._environment = environment
        self._started = 0

    def start(self) -> ExecutorProcess:
        """Raises EnvironmentRefused where the machine has no room for another process."""
        self._started += 1
        name = f"{self._template.executor}-e{self._started}"
        try:
            with open_files.shortage_told():
                return ExecutorProcess(self._template.model_copy(update={"executor": name}), self._environment)
        except OSError as error:
            raise EnvironmentRefused(
                f"executor {name} cannot be started: {error.strerror}; {named('executors')} asks for fewer"
            ) from error


def start_all(factory: ExecutorFactory, count: int) -> list[ExecutorProcess]:
    """`count` executors, started side by side, ready. Raises EnvironmentRefused if one does not come up."""
    executors: list[ExecutorProcess] = []
    try:
        for _ in range(count):
            executors.append(factory.start())  # noqa: PERF401 # those that did start are known when one does not
        for executor in executors:
            executor.wait_until_ready()
    except BaseException:
        for executor in executors:
            executor.close()
        raise
    return executors
