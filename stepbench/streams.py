"""Output whose reader may go away (`| head`, a terminal that is closed, a log collector that dies), or that is full."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TextIO, cast

from stepbench.errors import EnvironmentRefused


def prepare() -> None:
    """For the begin of a program: stdout is `checked`, stderr `lasting`, and one that it was started without is there.

    What was closed (`>&-`) becomes the null device: the next file to be opened would have its number otherwise, and
    get what is written by child processes, which take these numbers for granted.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    sys.stdout, sys.stderr = checked(sys.stdout), lasting(sys.stderr)


def reader_is_gone(stream: TextIO) -> None:
    """Nothing is wrong, and nothing more can be said there: from now on what is written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def has_lost_reader(stream: TextIO) -> bool:
    """Whether `stream` is a pipe that nobody reads any more."""
    poller = select.poll()
    poller.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poller.poll(0))


class _Guarded:
    """Everything but writing is the stream's own."""

    def __init__(self, stream: TextIO, guard: Callable[[TextIO], AbstractContextManager[None]]) -> None:
        self._stream = stream
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._guard(self._stream):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._guard(self._stream):
            self._stream.flush()


def lasting(stream: TextIO) -> TextIO:
    """`stream`, on which writing never fails, with no reader or on a full disk: words about a run must not end it."""
    return cast(TextIO, _Guarded(stream, _silenced))


def checked(stream: TextIO) -> TextIO:
    """`stream`, on which writing raises EnvironmentRefused where it is refused: a full disk, a dead device.

    A reader that has gone is a BrokenPipeError still.
    """
    return cast(TextIO, _Guarded(stream, _refusal_told))


def read_or_not(stream: TextIO) -> TextIO:
    """`stream`, for what is to be done to its end whether its reader stays or goes."""
    return cast(TextIO, _Guarded(stream, _reader_may_go))


@contextmanager
def _silenced(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except (OSError, EnvironmentRefused):
        reader_is_gone(stream)


@contextmanager
def _refusal_told(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reader_is_gone(stream)  # or Python would try once more at its end, and complain
        raise EnvironmentRefused(f"{stream.name.strip('<>')} cannot be written: {error.strerror}") from error


@contextmanager
def _reader_may_go(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        reader_is_gone(stream)
