"""Ctrl-C and SIGTERM, heard for certain: both raise KeyboardInterrupt, and whoever waits in rounds asks `heed` as well.

Python raises it wherever the main thread happens to be. If that is the `close` of a file-like object which is just
being deallocated, as each answer of an HTTP server is, the interpreter drops what was raised without a word
(`iobase_finalize` in CPython's Modules/_io/iobase.c), and a run whose Ctrl-C came then would go on.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_heard: list[int] = []
"""The signals, in order."""


@contextmanager
def listening() -> Iterator[None]:
    """For the main thread of a program; what was heard is forgotten with its end."""
    before = {number: signal.signal(number, _hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _heard.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def heed() -> None:
    """Raises KeyboardInterrupt if one was heard, whatever became of it."""
    if _heard:
        raise KeyboardInterrupt


def _hear(number: int, _frame: FrameType | None) -> None:
    _heard.append(number)
    raise KeyboardInterrupt
