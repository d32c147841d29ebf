"""Steps that have come and are not begun: who runs the next and, of those that come from a queue, how many to ask for.

A worker takes what it will begin within about a second: as many steps as it has free executors and, where its recent
steps were short, some more, so that an executor need not wait for the next receive.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns
from typing import Generic, Protocol, TypeVar

from stepbench.queues import MAX_BATCH_MESSAGES

BEGIN_WITHIN_SECONDS = 1.0
HAND_BACK_AFTER_SECONDS = 3.0
"""A step that waited this long was taken by mistake (its forerunner was slower than those before it)."""
MOST_PER_EXECUTOR = 2 * MAX_BATCH_MESSAGES
RECENT_STEPS = 16


class Waiting(Protocol):
    """A step as whoever took it keeps it."""

    @property
    def received_at_ns(self) -> int:
        """Monotonic clock of this host, when it came."""
        ...


Step = TypeVar("Step", bound=Waiting)


@dataclass
class _Seat(Generic[Step]):
    """A thread that stands by a free executor."""

    begin: Callable[[Step], bool]
    lives: Callable[[], bool]
    step: Step | None = None
    lost: bool = False
    """Its executor is gone."""


def _begin_later(_: object) -> bool:
    """For takers that begin the step themselves."""
    return True


class Backlog(Generic[Step]):
    """A queue between who takes steps and the executors' threads, which knows how much of it is worth having.

    A step that comes while an executor is free is begun by the thread that brings it: to wake another one first would
    be a good part of what a worker adds to a short step.
    """

    def __init__(self, executors: int, clock_ns: Callable[[], int] = monotonic_ns) -> None:
        self._executors = executors
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._waiting: deque[Step] = deque()
        self._idle: deque[_Seat[Step]] = deque()
        self._busy = 0
        self._beyond = [MOST_PER_EXECUTOR] * executors
        self._recent_seconds: deque[float] = deque(maxlen=RECENT_STEPS)
        self._closed = False

    def room(self) -> int:
        """How many messages to ask for now; waits until that is at least one. 0 once closed."""
        with self._changed:
            while not self._closed:
                if room := self._room():
                    return room
                self._changed.wait()
            return 0

    def put(self, steps: list[Step]) -> list[Step]:
        """Returns what is not taken: all of it once closed."""
        with self._changed:
            if self._closed:
                return steps
            for step in steps:
                if not self._begun_by_someone(step):
                    self._waiting.append(step)
            self._changed.notify_all()
            return []

    def take(
        self, begin: Callable[[Step], bool] = _begin_later, lives: Callable[[], bool] = lambda: True
    ) -> Step | None:
        """The next step, for an executor that is free; waits for one. None once closed, or if the executor is gone.

        `begin` has been called with the step by then, by whichever thread was there first. It must not wait, and tells
        whether the step got through to the executor: else another one has it. An executor that is gone counts as busy
        until `finished` is told of its successor.
        """
        seat = _Seat(begin, lives)
        with self._changed:
            self._idle.append(seat)
            if self._waiting:
                if self._begun_by_someone(self._waiting[0]):
                    self._waiting.popleft()
                self._changed.notify_all()
            while seat.step is None and not seat.lost and not self._closed:
                self._changed.wait()
            return seat.step

    def finished(self, seconds: float | None) -> None:
        """An executor is free again. Its step took `seconds`; null for a probe, and the successor of an idle one."""
        with self._changed:
            self._busy -= 1
            if seconds is not None:
                self._recent_seconds.append(seconds)
            self._changed.notify_all()

    def look_for_the_lost(self) -> None:
        """Let go those who wait in `take` for an executor that is gone."""
        with self._changed:
            for seat in [seat for seat in self._idle if not seat.lives()]:
                self._idle.remove(seat)
                self._lose(seat)

    def limit(self, slot: int, steps: int) -> None:
        """The executor of `slot` may run so many steps beyond the one that it runs or begins next.

        0 while it is replaced: a step that is asked for in its name would wait for the start of its successor.
        """
        with self._changed:
            self._beyond[slot] = steps

    def has_waiting(self) -> bool:
        """More steps are about to begin and end."""
        with self._changed:
            return bool(self._waiting)

    def busy(self) -> int:
        with self._changed:
            return self._busy

    def take_stale(self) -> list[Step]:
        """Remove and return what has waited too long. Then none is taken beyond the free executors for a while.

        Each time that a message is handed back counts as a receive, and too many of those make it a dead letter.
        """
        with self._changed:
            before_ns = self._clock_ns() - int(HAND_BACK_AFTER_SECONDS * 1e9)
            stale = [step for step in self._waiting if step.received_at_ns < before_ns]
            if stale:
                self._waiting = deque(step for step in self._waiting if step.received_at_ns >= before_ns)
                self._recent_seconds.clear()
            return stale

    def close(self) -> list[Step]:
        """Nothing is begun any more; returns what was waiting."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
            self._changed.notify_all()
            return waiting

    def _begun_by_someone(self, step: Step) -> bool:
        """Whether an idle executor has it now."""
        while self._idle:
            seat = self._idle.popleft()
            if seat.begin(step):
                self._busy += 1
                seat.step = step
                return True
            self._lose(seat)
        return False

    def _lose(self, seat: _Seat[Step]) -> None:
        self._busy += 1
        seat.lost = True
        self._changed.notify_all()

    def _room(self) -> int:
        if self._waiting and self._busy < self._executors:
            # What can begin now begins first: the next receive takes a millisecond of the interpreter's time before it
            # waits for the network, and the step would wait for that.
            return 0
        free = self._executors - self._busy - len(self._waiting)
        ahead = self._ahead()
        wanted = free + ahead
        # With steps in stock, ask for a good handful at once: a call for each single message is what costs.
        return wanted if free > 0 or wanted >= min(MAX_BATCH_MESSAGES, ahead) else 0

    def _ahead(self) -> int:
        """Steps worth having beyond the free executors; 0 until recent steps were seen to be short."""
        if not self._recent_seconds:
            return 0
        fit = min(MOST_PER_EXECUTOR, int(BEGIN_WITHIN_SECONDS / max(*self._recent_seconds, 1e-6)))
        return sum(min(fit, beyond) for beyond in self._beyond)
