"""The two programs as processes: started in a folder of their own, watched through what they write, ended for sure."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runs.waiting import DEADLINE_SECONDS, eventually

Line = dict[str, Any]


class Program:
    """A running process whose two outputs go to files in `folder`."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        """Waits for the end."""
        try:
            return self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"it did not end; its stderr:\n{self.stderr}") from error

    def kill(self) -> None:
        """At once, and everything that is left of its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of zombies alone
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class WorkerProgram(Program):
    """`python -m worker`, whose log lines are JSON."""

    def log_lines(self, event: str) -> list[Line]:
        """What it has logged under this event, so far."""
        whole = self.stderr.rpartition("\n")[0]
        lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def until_logged(self, event: str, count: int = 1) -> list[Line]:
        """Waits for `count` lines of this event."""

        def look() -> list[Line] | None:
            found = self.log_lines(event)
            if len(found) < count and self.process.poll() is not None:
                raise AssertionError(f"the worker ended with {self.process.returncode}; its stderr:\n{self.stderr}")
            return found if len(found) >= count else None

        return eventually(f"the worker logs {event!r}", look) or []

    def executor_pids(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]


@dataclass(frozen=True)
class Outcome:
    """What a run left: exit code, outputs, and its metrics file's lines as plain JSON."""

    exit_code: int
    stdout: str
    stderr: str
    lines: tuple[Line, ...]

    def of_kind(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]

    @property
    def samples(self) -> list[Line]:
        return self.of_kind("sample")

    @property
    def failures(self) -> list[Line]:
        return self.of_kind("failure")

    @property
    def plan(self) -> Line:
        plan: Line = self.lines[0]["plan"]
        return plan

    @property
    def summary(self) -> Line:
        """What `--json` printed."""
        summary: Line = json.loads(self.stdout)
        return summary

    def events(self, name: str) -> list[Line]:
        return [line for line in self.of_kind("event") if line["event"] == name]


class RunProgram(Program):
    """`python -m orchestrator start`, with its metrics file in its own folder."""

    def lines(self) -> tuple[Line, ...]:
        """The whole lines of the metrics file so far."""
        return lines_of(self.folder / "out")

    def until(self, what: str, look: Callable[[Outcome], Any]) -> Any:
        """Waits until `look` finds something in what there is of the run so far."""

        def look_now() -> Any:
            if self.process.poll() is not None and not look(self._so_far()):
                raise AssertionError(f"the run ended with {self.process.returncode} before: {what}\n{self.stderr}")
            return look(self._so_far())

        return eventually(what, look_now)

    def outcome(self) -> Outcome:
        """Waits for the end."""
        code = self.exit_code()
        return Outcome(code, self.stdout, self.stderr, self.lines())

    def _so_far(self) -> Outcome:
        return Outcome(-1, "", "", self.lines())


def lines_of(metrics_dir: Path) -> tuple[Line, ...]:
    """The whole lines of the one metrics file in a folder; none if there is none yet."""
    files = list(metrics_dir.glob("metrics-*.jsonl"))
    assert len(files) <= 1
    text = files[0].read_text() if files else ""
    return tuple(json.loads(line) for line in text.rpartition("\n")[0].splitlines())
