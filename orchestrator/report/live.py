"""Progress on stderr while a run goes on: a live view on a terminal, plain lines when piped, nothing when quiet.

`update` does little but store what it is given, so that it costs the loop next to nothing. Both views have a thread of
their own: the loop says nothing while it waits for queues that do not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock, Thread
from time import monotonic
from types import TracebackType
from typing import Protocol, Self, TextIO

from orchestrator.report.pace import Marks, Pace, Progress, pace
from orchestrator.report.progress_words import plain_line

__all__ = ["Pace", "PlainView", "Progress", "ProgressView", "QuietView", "pace", "progress_view"]

PLAIN_LINE_SHARE = 0.1
PLAIN_LINE_MIN_SECONDS = 3.0
"""Never more often than this, however fast the run is."""
PLAIN_LINE_MAX_SECONDS = 60.0
"""At least so often, so that a log shows that the run lives."""
LOOK_SECONDS = 1.0
"""So often it is seen whether a line is due although no update came."""


class ProgressView(Protocol):
    """Shows how a run stands, from `with` to its end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, snapshot: Progress) -> None:
        """Takes note of `snapshot`; returns at once."""
        ...


def progress_view(stream: TextIO, quiet: bool) -> ProgressView:
    """The view that fits `stream` (stderr)."""
    if quiet:
        return QuietView()
    if stream.isatty():
        from orchestrator.report.live_terminal import TerminalView
        from orchestrator.report.redrawn import can_redraw

        return TerminalView(stream) if can_redraw(stream) else PlainView(stream)
    return PlainView(stream)


class QuietView:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def update(self, snapshot: Progress) -> None:
        return None


class PlainView:
    """A line at the start, one now and then, one at the end."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._marks = Marks()
        self._told: Progress | None = None
        self._latest: Progress | None = None
        self._stored_at = 0.0
        self._lock = Lock()
        self._ending = Event()
        self._thread = Thread(target=self._look_again, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        if self._latest is not None and self._latest is not self._told:
            self._tell(self._latest)

    def update(self, snapshot: Progress) -> None:
        with self._lock:
            self._latest, self._stored_at = snapshot, self._clock()
            self._marks.add(snapshot)
            if self._told is None or is_worth_a_line(self._told, snapshot):
                self._tell(snapshot)

    def look(self) -> None:
        """Tells what has become of the latest snapshot, where a line is due."""
        with self._lock:
            if self._latest is None or self._told is None:
                return
            by_now = self._latest.elapsed_seconds + self._clock() - self._stored_at
            aged = replace(self._latest, elapsed_seconds=by_now)
            if is_worth_a_line(self._told, aged):
                self._tell(aged)

    def _look_again(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            self.look()

    def _tell(self, snapshot: Progress) -> None:
        self._told = snapshot
        print(plain_line(snapshot, self._marks.pace(snapshot, snapshot.elapsed_seconds)), file=self._stream, flush=True)


def is_worth_a_line(told: Progress, latest: Progress) -> bool:
    """Whether enough has happened since `told`: a tenth of the run, news of an error or a wait, or a long time."""
    since_seconds = latest.elapsed_seconds - told.elapsed_seconds
    if since_seconds < PLAIN_LINE_MIN_SECONDS:
        return False
    has_news = _news(told) != _news(latest)
    has_moved = latest.steps_done - told.steps_done >= PLAIN_LINE_SHARE * latest.steps
    return has_news or has_moved or since_seconds >= PLAIN_LINE_MAX_SECONDS


def _news(snapshot: Progress) -> tuple[str | None, str | None, bool, bool]:
    is_silent = snapshot.silent_seconds(snapshot.elapsed_seconds) is not None
    stands_still = snapshot.standstill_seconds(snapshot.elapsed_seconds) is not None
    return snapshot.last_error, snapshot.waiting_note, is_silent, stands_still
