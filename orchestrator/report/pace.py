"""How far a run is, how fast it goes and how long it will take: pure functions, time is an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
"""The rate is of about the last minute: a fleet that started from zero soon stops counting its start."""
MARKS = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands. `steps` and `chains` are planned numbers, warm-up chains aside."""

    chains_done: int
    chains_failed: int
    chains: int
    steps_done: int
    steps: int
    in_flight: int
    failures: int
    retries: int
    duplicates: int
    lost: int
    """Attempts that were given up as lost."""
    last_error: str | None
    elapsed_seconds: float
    waiting_note: str | None = None
    """What the run is waiting for, when nothing comes."""
    steps_before: int = 0
    """Of those done, the ones that were done before this orchestrator took the run up."""
    heard_at_seconds: float | None = None
    """When a worker last answered, as `elapsed_seconds`; null while nothing is asked of any."""
    warn_after_seconds: float = 0.0
    """A silence of so long is told; 0: none is."""

    def silent_seconds(self, now_seconds: float) -> float | None:
        """For how long no worker has answered, where that is worth a warning."""
        if not self.warn_after_seconds or self.heard_at_seconds is None:
            return None
        silent = now_seconds - self.heard_at_seconds
        return silent if silent >= self.warn_after_seconds else None


@dataclass(frozen=True, slots=True)
class Pace:
    """None: nothing to tell it from yet."""

    steps_per_second: float | None
    seconds_left: float | None


class Marks:
    """How many steps were done when, for about the last minute, in a bounded number of marks."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque([(0.0, 0)])

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, progress: Progress) -> None:
        """Remembers where a run stood; marks nearer than a second to the one before are not kept."""
        marks = self._marks
        if progress.elapsed_seconds - marks[-1][0] >= WINDOW_SECONDS / MARKS:
            marks.append((progress.elapsed_seconds, progress.steps_done))
        while len(marks) > 2 and progress.elapsed_seconds - marks[1][0] >= WINDOW_SECONDS:
            marks.popleft()

    def pace(self, progress: Progress, now_seconds: float) -> Pace:
        """The pace at `now_seconds` since the run began, `progress` being the latest that is known."""
        begun_seconds, begun_steps = self._marks[0]
        return pace(progress, now_seconds, begun_seconds, max(begun_steps, progress.steps_before))


def pace(progress: Progress, now_seconds: float, since_seconds: float = 0.0, steps_then: int = 0) -> Pace:
    """The rate since `since_seconds`, when `steps_then` were done, and the time left at that rate."""
    gone_seconds, done = now_seconds - since_seconds, progress.steps_done - steps_then
    if gone_seconds <= 0 or done <= 0:
        return Pace(None, None)
    rate = done / gone_seconds
    return Pace(rate, max(0, progress.steps - progress.steps_done) / rate)
