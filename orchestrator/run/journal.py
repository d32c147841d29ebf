"""The metrics file as it is written: one line per dispatch, sample, failure and event, before anything follows from it.

What `write` was given is in the kernel's hands when it returns: it survives the death of this process at any
instruction, not a power cut.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.run.lines import Line, RunLine
from orchestrator.run.plan import Plan
from stepbench import configuration, machine
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.settings import Settings


def now_text() -> str:
    """The wall clock, for people: no figure is made of it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def path_of(metrics_dir: Path, run_id: str) -> Path:
    return metrics_dir / f"metrics-{run_id}.jsonl"


def check_folder(metrics_dir: Path) -> None:
    """Raises UsageError where no metrics file can be written; makes the folder if it is not there."""
    try:
        metrics_dir.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(metrics_dir, os.W_OK | os.X_OK) else "it may not be written to"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise UsageError(f"--metrics-dir (METRICS_DIR): {metrics_dir}: {reason}; name a folder that can be written")


def begin(path: Path, plan: Plan, settings: Settings) -> Journal:
    """A new metrics file with its first line."""
    journal = Journal(path)
    line = RunLine(
        run_id=plan.run_id,
        started_at=now_text(),
        environment=plan.environment,
        plan=plan,
        settings=configuration.in_force(settings),
        versions=machine.versions(),
        machine=machine.facts(),
    )
    journal.write([line])
    return journal


class Journal:
    """A metrics file that only grows."""

    def __init__(self, path: Path) -> None:
        """Begins a new file. Raises UsageError where that cannot be."""
        self.path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as error:
            raise UsageError(
                f"--metrics-dir (METRICS_DIR): cannot write {path}: {error.strerror}; name a folder that can be written"
            ) from error

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines, all or none. Raises EnvironmentRefused when the disk refuses, with what is there kept."""
        if not lines:
            return
        data = b"".join(line.model_dump_json().encode() + b"\n" for line in lines)
        begin = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            written = 0
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except BaseException as error:
            # Ctrl-C between two pieces too: what is written next would otherwise follow half a line.
            os.ftruncate(self._fd, begin)
            if not isinstance(error, OSError):
                raise
            raise EnvironmentRefused(f"cannot write to {self.path}: {error.strerror}; what it holds is kept") from error

    def close(self) -> None:
        os.close(self._fd)
