"""Executors at work on a backlog: who stands by them, and what becomes of one that died or did its share of steps.

What a step is to whoever keeps the executors (a message of a queue, or one that was never in any), and what is done
about its end, is the keeper's own.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

import structlog
from tenacity import RetryError

from stepbench.errors import EnvironmentRefused
from stepbench.executors.backlog import Backlog, Waiting
from stepbench.executors.process import ExecutorFactory, ExecutorProcess, start_all
from stepbench.messages import StepMessage
from stepbench.patience import patient, pause_seconds

IDLE_CHECK_SECONDS = 1.0

log = structlog.get_logger()


class Step(Waiting, Protocol):
    """As `Waiting`, with its message."""

    @property
    def message(self) -> StepMessage: ...


Kept = TypeVar("Kept", bound=Step)
Handed_contra = TypeVar("Handed_contra", bound=Step, contravariant=True)


class Keeper(Protocol[Handed_contra]):
    """Whose executors they are. Called from the threads that stand by them."""

    def begin(self, executor: ExecutorProcess, step: Handed_contra) -> bool:
        """Hand the step over, without waiting. False if it did not get through: another executor has it then."""
        ...

    def finish(self, slot: int, executor: ExecutorProcess, step: Handed_contra) -> tuple[float | None, bool]:
        """See to the end of a step that was begun: its seconds (null: meaningless), whether the executor lives.

        Raises nothing that is not to end the keeper.
        """
        ...

    def starts_another(self) -> None:
        """The thread waits for the start of an executor now."""
        ...

    def rests(self) -> None:
        """The thread waits for a step now."""
        ...


class Team(Generic[Kept]):
    """Slots, an executor in each. `serve` has a thread for each slot, `watch_the_idle` one for all."""

    def __init__(
        self,
        factory: ExecutorFactory,
        backlog: Backlog[Kept],
        keeper: Keeper[Kept],
        *,
        most_steps: int,
        ending: threading.Event,
    ) -> None:
        """An executor runs `most_steps` (0: any number). `ending`: no more executors are started."""
        self._factory = factory
        self._backlog = backlog
        self._keeper = keeper
        self._most_steps = most_steps
        self._ending = ending
        self._executors: dict[int, ExecutorProcess] = {}
        self._idle_deaths: Counter[int] = Counter()
        """By slot, how many executors one after the other ended without a step."""

    def start(self, count: int) -> None:
        """Starts them; returns when all are ready. Raises EnvironmentRefused."""
        self._executors = dict(enumerate(start_all(self._factory, count)))

    @property
    def slots(self) -> list[int]:
        return list(self._executors)

    def serve(self, slot: int) -> None:
        """Has the slot's executors run steps, until the backlog is closed or no executor may be started any more."""
        self._limit(slot)
        while (step := self._backlog.take(self._beginning(slot), self._executors[slot].lives)) or self._lost_idle(slot):
            seconds, fit = self._finished(slot, step) if step else (None, False)
            if not fit and not self._replace(slot):
                return
            self._limit(slot)
            self._backlog.finished(seconds)
            self._keeper.rests()

    def watch_the_idle(self) -> None:
        """Sees to it that an executor which dies while it has no step is replaced; returns at the end."""
        while not self._ending.wait(IDLE_CHECK_SECONDS):
            self._backlog.look_for_the_lost()

    def disown(self, message: StepMessage) -> None:
        """See `ExecutorProcess.disown`."""
        for executor in list(self._executors.values()):
            executor.disown(message)

    def kill(self) -> None:
        """All of them, at once."""
        for executor in list(self._executors.values()):
            executor.kill()

    def close(self) -> None:
        for executor in list(self._executors.values()):
            executor.close()

    def _beginning(self, slot: int) -> Callable[[Kept], bool]:
        return partial(self._keeper.begin, self._executors[slot])

    def _lost_idle(self, slot: int) -> bool:
        """Whether it gets no step because its executor ended; if not, because all of it does."""
        if self._ending.is_set():
            return False
        executor = self._executors[slot]
        log.warning("executor lost while it had no step", executor=executor.name, reason=executor.death())
        self._idle_deaths[slot] += 1
        return True

    def _finished(self, slot: int, step: Kept) -> tuple[float | None, bool]:
        """How long the step took, in seconds, and whether its executor may have another."""
        seconds, lives = self._keeper.finish(slot, self._executors[slot], step)
        self._idle_deaths[slot] = 0
        return seconds, lives and self._steps_left(slot) > 0

    def _steps_left(self, slot: int) -> int:
        """How many steps its executor may still begin."""
        return self._most_steps - self._executors[slot].steps_run if self._most_steps else sys.maxsize

    def _limit(self, slot: int) -> None:
        self._backlog.limit(slot, self._steps_left(slot) - 1)

    def _replace(self, slot: int) -> bool:
        """A fresh executor in place of one that died or did its share; false if the end comes before it is up."""
        self._backlog.limit(slot, 0)
        self._executors[slot].close()
        if self._ending.wait(pause_seconds(self._idle_deaths[slot])):
            return False

        def start() -> None:
            self._keeper.starts_another()
            [self._executors[slot]] = start_all(self._factory, 1)

        try:
            patient("could not start an executor", lambda error: isinstance(error, EnvironmentRefused), self._ending)(
                start
            )
        except RetryError:
            log.warning("ends without a replacement for an executor")
            return False
        if self._ending.is_set():  # whoever ends all of it may have passed this slot by
            self._executors[slot].close()
            return False
        return True
