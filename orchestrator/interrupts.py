"""Ctrl-C, SIGTERM and a terminal that is closed, heard for certain: each raises KeyboardInterrupt in the main thread.

Two such places lose it. In the `close` of a file-like object that is just being deallocated, as each answer of an HTTP
server is, the interpreter drops what is raised without a word (`iobase_finalize` in CPython's Modules/_io/iobase.c).
And in the end of `with lock:`, before the lock is let go, it leaves that lock held: urllib3 then waits for its own pool
of connections for ever. So what may last, and has nothing to clean up, is put into `insisting`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Ear:
    heard = False
    insists = False


_ear = _Ear()


@contextmanager
def listening() -> Iterator[None]:
    """For the main thread of a program; what was heard is forgotten with its end."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it, or a script's `&`
            signal.signal(number, _hear)
    try:
        yield
    finally:
        _ear.heard = False
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def insisting() -> Iterator[None]:
    """An interrupt is raised in here every AGAIN_SECONDS until one has ended the block; at once if it came before."""
    if _ear.heard:
        raise KeyboardInterrupt
    _ear.insists = True
    try:
        yield
    finally:
        _ear.insists = False
        if _ear.heard:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _hear(_number: int, _frame: FrameType | None) -> None:
    _ear.heard = True
    if _ear.insists:
        signal.signal(signal.SIGALRM, _hear)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
    raise KeyboardInterrupt
