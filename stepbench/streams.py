"""Output whose reader may go away (`| head`, a terminal that is closed, a log collector that dies), or that is full."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


class _Around:
    """Everything but what is wanted otherwise is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Lasting(_Around):
    """See `lasting`."""

    def write(self, text: str) -> int:
        with self._forgiving():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._forgiving():
            self._stream.flush()

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EnvironmentRefused):
            reader_is_gone(self._stream)


def lasting(stream: TextIO) -> TextIO:
    """`stream`, on which writing never fails, with no reader or on a full disk: words about a run must not end it."""
    return cast(TextIO, _Lasting(stream))


class _Checked(_Around):
    """See `checked`."""

    def write(self, text: str) -> int:
        with refusal_told(self._stream):
            return self._stream.write(text)

    def flush(self) -> None:
        with refusal_told(self._stream):
            self._stream.flush()


def checked(stream: TextIO) -> TextIO:
    """`stream`, on which writing raises EnvironmentRefused where it is refused: a full disk, a dead device.

    A reader that has gone is a BrokenPipeError still.
    """
    return cast(TextIO, _Checked(stream))


@contextmanager
def refusal_told(stream: TextIO) -> Iterator[None]:
    """EnvironmentRefused for whatever keeps `stream` from being written, but not for a reader that has gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reader_is_gone(stream)  # or Python would try once more at its end, and complain
        raise EnvironmentRefused(f"{stream.name.strip('<>')} cannot be written: {error.strerror}") from error
