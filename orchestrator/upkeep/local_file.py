"""What a run's metrics file on this machine tells about whether anybody may still go on with the run."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from orchestrator.report import metrics_file
from orchestrator.run.journal import path_of
from stepbench.errors import UsageError

State = Literal["not here", "at work", "unfinished", "finished", "unreadable"]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """`path` is where the metrics file is, or would be."""

    path: Path
    state: State
    step_expiry_seconds: float | None = None
    """The run's own; null where no file tells it."""
    written: datetime | None = None
    """When something was last written to it, by this machine's clock; null where no file tells of a run."""


@contextmanager
def held(metrics_dir: Path, run_id: str) -> Iterator[LocalFile]:
    """What the file tells; while the block lasts, no orchestrator on this machine goes on with the run."""
    path = path_of(metrics_dir, run_id)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for a writer
    except FileNotFoundError:
        yield LocalFile(path, "not here")
        return
    except OSError:
        yield LocalFile(path, "unreadable")
        return
    try:
        yield _of_open(fd, path)
    finally:
        os.close(fd)


def _of_open(fd: int, path: Path) -> LocalFile:
    """Keeps other writers away for as long as `fd` is open, where there is none yet."""
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode):
        return LocalFile(path, "unreadable")
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return LocalFile(path, "at work")
    return _read(path, datetime.fromtimestamp(facts.st_mtime, UTC))


def _read(path: Path, written: datetime) -> LocalFile:
    try:
        file = metrics_file.read(path)
    except UsageError:
        return LocalFile(path, "unreadable")
    # A torn line behind the summary is of failed chains that were begun again.
    finished = file.summary is not None and not file.torn_line
    return LocalFile(path, "finished" if finished else "unfinished", file.run.plan.step_expiry_seconds, written)
