"""Files for a moment, in memory where there is room, and gone with the process that made them, however it ends."""

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
_held: list[int] = []
"""Locks, for as long as this process lives."""


@contextmanager
def scratch_file(size_bytes: int) -> Iterator[Path]:
    """A name for a file of that size, which may be made there; it is removed at the end of the block."""
    path = _folder(_roomy(size_bytes)) / os.urandom(8).hex()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _roomy(size_bytes: int) -> Path:
    elsewhere = Path(tempfile.gettempdir())
    if not os.access(IN_MEMORY, os.W_OK):  # not Linux
        return elsewhere
    about = os.statvfs(IN_MEMORY)
    # A container has 64 MB there unless it is told otherwise.
    return IN_MEMORY if about.f_bavail * about.f_frsize >= size_bytes else elsewhere


@cache
def _folder(parent: Path) -> Path:
    """This process's own. Those of processes that were killed are removed first: nobody holds their locks."""
    for left in parent.glob(f"{PREFIX}*"):
        _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    _held.append(os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    fcntl.flock(_held[-1], fcntl.LOCK_EX)
    return folder


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
