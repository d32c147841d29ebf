"""Ctrl-C, SIGTERM and a terminal that is closed, heard for certain: each raises KeyboardInterrupt in the main thread.

Two such places lose it. In the `close` of a file-like object that is just being deallocated, as each answer of an HTTP
server is, the interpreter drops what is raised without a word (`iobase_finalize` in CPython's Modules/_io/iobase.c).
And in the end of `with lock:`, before the lock is let go, it leaves that lock held: urllib3 then waits for its own pool
of connections for ever. So what may last, and has nothing to clean up, is put into `insisting`.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

AGAIN_SECONDS = 1.0
SAME_SECONDS = 0.5
"""Signals that come together (SIGTERM and SIGHUP, two of Ctrl-C) are one interrupt: what it does is not interrupted."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Ear:
    heard = False
    raised_at = -math.inf
    """By the monotonic clock, in seconds."""
    insists = False


_ear = _Ear()


@contextmanager
def listening() -> Iterator[None]:
    """For the main thread of a program; what was heard is forgotten with its end.

    Once an interrupt has ended it, the signals are ignored: its exit code is to be that of an interrupt, and not how
    the interpreter ends of a signal that comes meanwhile.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it, or a script's `&`
            signal.signal(number, _hear)
    try:
        yield
    except KeyboardInterrupt:
        before = dict.fromkeys(SIGNALS, signal.SIG_IGN)
        raise
    finally:
        _ear.heard, _ear.raised_at = False, -math.inf
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
    if monotonic() - _ear.raised_at < SAME_SECONDS:
        return
    _ear.heard, _ear.raised_at = True, monotonic()
    if _ear.insists:
        signal.signal(signal.SIGALRM, _hear)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
    raise KeyboardInterrupt
