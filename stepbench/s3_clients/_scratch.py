"""Files for a moment, in memory where there is room.

What a process leaves that is killed in that moment is removed by the next one that makes such a file.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108 # Linux's own; what we make there is ours alone
PREFIX = "stepbench-scratch-"
_LOCK = "lock"


@contextmanager
def scratch_file(size_bytes: int) -> Iterator[Path]:
    """A name for a file of that size, which may be made there; nothing is left of it at the end of the block."""
    parent = _roomy(size_bytes)
    _sweep(parent)
    made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    lock = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = made.rename(parent / made.name.removeprefix("."))  # nobody sees it under that name before it is locked
    try:
        yield folder / "file"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _roomy(size_bytes: int) -> Path:
    elsewhere = Path(tempfile.gettempdir())
    if not os.access(IN_MEMORY, os.W_OK):  # not Linux
        return elsewhere
    about = os.statvfs(IN_MEMORY)
    # A container has 64 MB there unless it is told otherwise.
    return IN_MEMORY if about.f_bavail * about.f_frsize >= size_bytes else elsewhere


@cache
def _sweep(parent: Path) -> None:
    """Once: the folders of processes that were killed, whose locks nobody holds."""
    for left in parent.glob(f"{PREFIX}*"):
        _remove_if_left(left)


def _remove_if_left(folder: Path) -> None:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # somebody else's, or being made or removed at this moment
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)
