"""Output whose reader may go away: `| head`, a terminal that is closed, a log collector that dies."""

from __future__ import annotations

import os
import select
from typing import Any, TextIO, cast


def reader_is_gone(stream: TextIO) -> None:
    """Nothing is wrong, and nothing more can be said there: from now on what is written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def has_lost_reader(stream: TextIO) -> bool:
    """Whether `stream` is a pipe that nobody reads any more."""
    poller = select.poll()
    poller.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poller.poll(0))


class _Lasting:
    """See `lasting`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            reader_is_gone(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            reader_is_gone(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def lasting(stream: TextIO) -> TextIO:
    """`stream`, on which writing never fails for want of a reader: words about a run must not end it."""
    return cast(TextIO, _Lasting(stream))
