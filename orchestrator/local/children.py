"""Child processes that never outlive us, whatever ends us.

Each child's standard input is a pipe of which only we hold the other end. We write nothing into it: when we are gone,
even by SIGKILL, the kernel closes it and the child reads its end. (Linux's parent-death signal would be no better and
is not safe here: it fires when the *thread* that started the child ends.) Each child leads a session of its own, so
that a terminal's Ctrl-C reaches us alone and we end things in order, and so that what it has started ends with it.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from stepbench import deaths
from stepbench.errors import EnvironmentRefused

_STDERR_LINES_KEPT = 20


class Child:
    """One running child; ended by `stop`, at the latest by the context manager that made it."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.process = process
        self._said: deque[str] = deque(maxlen=_STDERR_LINES_KEPT)
        self._listener = threading.Thread(target=self._listen, name=f"stderr of {name}", daemon=True)
        if process.stderr is not None:
            self._listener.start()

    def ready_line(self, deadline_seconds: float) -> str:
        """The first line of its standard output, stripped.

        Raises EnvironmentRefused, with what the child said on stderr, if it ends before that or takes longer than
        `deadline_seconds`.
        """
        assert self.process.stdout is not None
        line, ends = b"", time.monotonic() + deadline_seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, ends - time.monotonic())):
                    raise EnvironmentRefused(f"{self.name} was not ready within {deadline_seconds:g} s{self._last()}")
                byte = os.read(self.process.stdout.fileno(), 1)
                if not byte:
                    raise EnvironmentRefused(f"{self.name} ended before it was ready{self._last()}")
                line += byte
        return line.decode().strip()

    def check(self) -> None:
        """Raises EnvironmentRefused if it has ended."""
        if (death := self.death()) is not None:
            raise EnvironmentRefused(f"{self.name} {death}")

    def death(self) -> str | None:
        """How it has ended, and what it said on stderr where that was kept; null while it runs."""
        code = self.process.poll()
        return None if code is None else f"{deaths.how(code)}{self._last()}"

    def stop(self, grace_seconds: float) -> None:
        """Ends its stdin and asks it to end, waits up to `grace_seconds`, kills it and all that is left of its session.

        A worker would wait for its long poll and drain; the end of its stdin tells it that nobody waits for it.
        """
        try:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.terminate()
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._kill()

    def _kill(self) -> None:
        # macOS answers EPERM where all that is left of the group are zombies.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stderr is not None:
            self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        stream: IO[bytes] | None = self.process.stderr
        assert stream is not None
        self._said.extend(line.decode(errors="replace").rstrip() for line in stream)

    def _last(self) -> str:
        """What it said on stderr, as the end of a sentence; empty where it was not captured and stands above."""
        if self.process.stderr is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
                self._listener.join(1)
        said = "\n".join(self._said).strip()
        return f": {said}" if said else ""


@contextmanager
def child(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    captured: bool,
    grace_seconds: float = 5.0,
) -> Iterator[Child]:
    """A child that runs `command` and is gone when the block ends.

    Its stdout is for `ready_line`. `captured`: its stderr is kept for errors; else it goes to ours.
    """
    # If we are interrupted between its start and the block, the pipe is dropped with this frame, and the child goes.
    running = Child(
        name,
        subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if captured else None,
            start_new_session=True,
        ),
    )
    try:
        yield running
    finally:
        running.stop(grace_seconds)
