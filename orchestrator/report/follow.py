"""Follows a metrics file that another process is writing: its whole lines, as they come, until the summary.

Reads the file and nothing else; a run does not notice that it is watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from orchestrator.report.metrics_file import Reader
from orchestrator.run.lines import Line, SummaryLine
from stepbench.errors import UsageError

POLL_SECONDS = 0.25
SILENCE_SECONDS = 60.0
"""A step may well take that long; the note says what the silence may mean."""

Wait = Callable[[], None]
"""Called whenever there is nothing new; returns when it is time to look again."""


def follow(path: Path, wait: Wait) -> Iterator[tuple[bytes, Line | None]]:
    """Every whole line of `path` with its model (None: only a newer version knows it), up to the summary line.

    Waits for a file that is not there yet and for the rest of a line that has only begun. A resumed run may cut off a
    torn last line and write over it, so a line that has only begun is read afresh each time. Raises MetricsFileDamaged
    for a line that cannot be read, UsageError for what is no regular file, and OSError where the file cannot be read.
    """
    _await_file(path, wait)
    offset = 0
    reader = Reader(path)
    while True:
        for text in _whole_lines(path, offset):
            offset += len(text)
            line = reader.next(text)
            yield text, line
            if isinstance(line, SummaryLine):
                return
        wait()


class Patience:
    """Says, once for each silence, what is being waited for. Knows no clock: the time is an argument, in seconds."""

    def __init__(self, place: str, now_seconds: float) -> None:
        self._place = place
        self._silent_since = now_seconds
        self._told = False

    def heard(self, now_seconds: float) -> None:
        """A line came."""
        self._silent_since, self._told = now_seconds, False

    def note(self, now_seconds: float, *, begun: bool) -> str | None:
        """A sentence when there is something to say, at most one until a line comes."""
        silent_seconds = now_seconds - self._silent_since
        if self._told or (begun and silent_seconds < SILENCE_SECONDS):
            return None
        self._told = True
        if not begun:
            return f"{self._place} is not there yet: waiting for its run to begin (Ctrl-C ends this)"
        return (
            f"nothing new in {self._place} for {SILENCE_SECONDS:.0f} s: a long step, or its orchestrator has gone "
            "without a summary (Ctrl-C ends this)"
        )


def _await_file(path: Path, wait: Wait) -> None:
    while not path.exists():
        wait()
    if not path.is_file():
        raise UsageError(f"{path} is no regular file, so nothing will ever come of it; name a metrics file or a run id")


def _whole_lines(path: Path, offset: int) -> Iterator[bytes]:
    """The lines from `offset` that have their newline by now."""
    with path.open("rb") as stream:
        stream.seek(offset)
        for text in stream:
            if text.endswith(b"\n"):
                yield text
