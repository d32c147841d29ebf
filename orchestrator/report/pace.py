"""How far a run is, how fast it goes and how long it will take: pure functions, time is an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
"""The rate is of about the last minute of work, so that it follows a fleet that grows or shrinks."""
MARKS = 60
SLACK_SECONDS = 1.0
"""Between two steps of a chain that nothing waits for: the queues' part of it."""
STANDSTILL_SECONDS = 10.0
"""Beyond twice what a step takes: no rate any more, and word of it."""


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
    worked_seconds: float
    """Up to the last answer, without the waits: the time in which workers were at work, as far as steps tell of it."""
    step_seconds: float | None
    """What an executor took for the latest step; null before the first one."""
    waiting_note: str | None = None
    """What the run is waiting for, when nothing comes."""
    steps_before: int = 0
    """Of those done, the ones that were done before this orchestrator took the run up."""
    heard_at_seconds: float | None = None
    """When a worker last answered, as `elapsed_seconds`; null while nothing is asked of any."""
    warn_after_seconds: float = 0.0
    """A silence of so long is told; 0: none is."""
    function: str | None = None
    """The Lambda function that does the steps, where one does."""

    def worked_by(self, now_seconds: float) -> float:
        """`worked_seconds` and what has come to it since, where steps may still be at work."""
        since = now_seconds - (self.elapsed_seconds if self.heard_at_seconds is None else self.heard_at_seconds)
        return self.worked_seconds + time_at_work(since, self.step_seconds)

    def standstill_seconds(self, now_seconds: float) -> float | None:
        """For how long nothing has come back, where that is much longer than a step takes."""
        if self.step_seconds is None or self.heard_at_seconds is None:
            return None
        since = now_seconds - self.heard_at_seconds
        return since if since > 2 * self.step_seconds + STANDSTILL_SECONDS else None

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
    """How many steps were done after how much work, for about its last minute, in a bounded number of marks."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque([(0.0, 0)])

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, progress: Progress) -> None:
        """Remembers where a run stood; marks nearer than a second to the one before are not kept."""
        marks = self._marks
        if progress.worked_seconds - marks[-1][0] >= WINDOW_SECONDS / MARKS:
            marks.append((progress.worked_seconds, progress.steps_done))
        while len(marks) > 2 and progress.worked_seconds - marks[1][0] >= WINDOW_SECONDS:
            marks.popleft()

    def pace(self, progress: Progress, now_seconds: float) -> Pace:
        """The pace at `now_seconds` since the run began, `progress` being the latest that is known."""
        if progress.standstill_seconds(now_seconds) is not None:
            return Pace(None, None)
        begun_seconds, begun_steps = self._marks[0]
        worked_seconds = progress.worked_by(now_seconds)
        return pace(progress, worked_seconds, begun_seconds, max(begun_steps, progress.steps_before))


def time_at_work(gone_seconds: float, step_seconds: float | None) -> float:
    """Of the time between two answers, the part in which a worker can have been at work.

    As long as there is a worker, answers come at least as often as one step takes; what is beyond that is a wait, for
    a worker that has yet to begin, for a killed one's steps to come back, or for the queues.
    """
    return gone_seconds if step_seconds is None else min(gone_seconds, step_seconds + SLACK_SECONDS)


def pace(progress: Progress, worked_seconds: float, since_seconds: float = 0.0, steps_then: int = 0) -> Pace:
    """The rate since `since_seconds` of work, when `steps_then` were done, and the time left at that rate."""
    gone_seconds, done = worked_seconds - since_seconds, progress.steps_done - steps_then
    if gone_seconds <= 0 or done <= 0:
        return Pace(None, None)
    rate = done / gone_seconds
    return Pace(rate, max(0, progress.steps - progress.steps_done) / rate)
