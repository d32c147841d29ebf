"""Everything but the orchestrator: queues, bucket, workers and time. One turn: something happens."""

from __future__ import annotations

from collections import Counter
from random import Random

from orchestrator.run.results_queue import visibility_seconds as results_visibility_seconds
from stepbench.queues import Outgoing
from tests.chaos.figures import PromiseBroken
from tests.chaos.schedules import profile as profiles
from tests.chaos.schedules.clock import Clock
from tests.chaos.schedules.objects import Objects
from tests.chaos.schedules.queues import BadQueue
from tests.chaos.schedules.worker import Worker
from tests.factories import make_done

MAX_TURNS = 20_000
"""A schedule that takes more hangs: they take some hundred."""
MOST_STRAYS = 8
MAX_RECEIVES = 5
"""As often as redrive must allow at least."""
TURNS_BETWEEN_TWO_ACTIONS = (0, 0, 0, 1, 2, 5)
"""Of the orchestrator."""


class World:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.profile = profiles.draw(random)
        self.clock = Clock(random)
        self.tried: Counter[str] = Counter()
        self.killed_at: Counter[str] = Counter()
        """The orchestrator, between which two of its actions."""
        self.objects = Objects()
        self.steps = self._queue(self.profile.visibility_seconds, MAX_RECEIVES)
        self.results = self._queue(results_visibility_seconds(self.profile.stall_timeout_seconds), None)
        self._workers = [self._worker() for _ in range(self.profile.workers)]
        self._worker_deaths_left = self.profile.worker_deaths
        self._strays_left = MOST_STRAYS
        self._turns = 0

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def go_on(self) -> None:
        """What the world does between two actions of the orchestrator."""
        for _ in range(self.random.choice(TURNS_BETWEEN_TWO_ACTIONS)):
            self.turn()

    def wait(self, most_seconds: float) -> None:
        """What the world does while the orchestrator waits, and that is at most so long."""
        quiet_seconds = self._quiet_seconds(most_seconds)
        if quiet_seconds > 0:
            self._count_turn()
            self.clock.pass_seconds(quiet_seconds)
        else:
            self.turn()

    def turn(self) -> None:
        self._count_turn()
        self.clock.pass_seconds(self.random.expovariate(1 / self.profile.turn_seconds))
        worker = self.random.choice(self._workers)
        if self._worker_deaths_left and self.happens(self.profile.worker_death):
            self._worker_deaths_left -= 1
            self.tried["kills of workers"] += 1
            worker.die()
        elif self.happens(self.profile.lost_visibility):
            self.random.choice((self.steps, self.results)).lose_visibility()
        elif self._strays_left and self.happens(self.profile.stray):
            self._strays_left -= 1
            self.results.send([Outgoing(self._stray())])
        else:
            worker.act()

    def _count_turn(self) -> None:
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise PromiseBroken("hangs", f"the run has not ended after {MAX_TURNS} turns")

    def _quiet_seconds(self, most_seconds: float) -> float:
        """For how long nothing can happen by itself."""
        if any(worker.busy for worker in self._workers):
            return 0.0
        quiet = [seconds for queue in (self.steps, self.results) if (seconds := queue.quiet_seconds()) is not None]
        # A little more, so that rounding does not leave it just before.
        return min([most_seconds, *quiet]) + 1e-6 if min(quiet, default=1.0) > 0 else 0.0

    def _stray(self) -> str:
        expires_at = self.clock.time() + self.random.choice((-1, 100))
        return self.random.choice(("{}", make_done(run="another", expires_at=expires_at).model_dump_json()))

    def _queue(self, visibility_seconds: float, max_receives: int | None) -> BadQueue:
        return BadQueue(self.random, self.profile, self.clock.time, self.tried, visibility_seconds, max_receives)

    def _worker(self) -> Worker:
        return Worker(self.random, self.profile, self.steps, self.results, self.objects)
