"""Fleets in time: from nothing to work, as many workers as there is work for, and back to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from tests.infra.rendered import Rendered, rendered
from tests.infra.scaling import Metrics, Rules, Scaler

pytestmark = pytest.mark.infra

SMALL, LARGE = "small", "large"
FLEETS = {
    SMALL: {"launch": "fargate", "cpu": 1024, "memory": 4096, "max": 10},
    LARGE: {"launch": "ec2", "instance_type": "c7g.4xlarge", "max": 4},
}
START_MINUTES = {SMALL: 2, LARGE: 5}
"""From the desired count to a worker that takes messages: an image to pull, on EC2 an instance to start before."""
SLOW_START_MINUTES = {SMALL: 4, LARGE: 9}
HORIZON_MINUTES = 240


@pytest.fixture(scope="module")
def stack(infra: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return rendered(infra, tmp_path_factory.mktemp("scaling"), fleets=FLEETS)


@dataclass
class Fleet:
    """Workers that come up some minutes after they are wanted and take what waits, as many as they have executors.

    `load` is how many messages there are at a minute, in work and waiting together: of a run of C chains, C.
    """

    rules: Rules
    start_minutes: int
    load: Callable[[int], int]
    late_minutes: int = 0
    """The queue's metrics of the first minutes are not published."""
    scaler: Scaler = field(init=False)
    history: list[int] = field(default_factory=list)
    """The desired count after each minute."""
    running_history: list[int] = field(default_factory=list)
    _wanted: list[int] = field(default_factory=list)
    _metrics: list[Metrics] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scaler = Scaler(self.rules)

    def run(self, minutes: int = HORIZON_MINUTES) -> Fleet:
        for minute in range(minutes):
            self.minute(minute)
        return self

    def minute(self, minute: int) -> None:
        self._wanted.append(self.scaler.desired)
        # Up are those that have been wanted all the time since they could have started.
        running = min(self._wanted[-self.start_minutes - 1 :]) if minute >= self.start_minutes else 0
        messages = self.load(minute)
        working = min(messages, int(running * self.rules.target))
        late = minute < self.late_minutes
        self.scaler.minute(
            {
                "waiting": None if late else float(messages - working),
                "working": None if late else float(working),
                "running": float(running) if running else None,
            }
        )
        self.running_history.append(running)
        self.history.append(self.scaler.desired)

    def changes(self) -> list[int]:
        """The desired counts, each once in a row."""
        return [now for before, now in pairwise([0, *self.history]) if now != before]


def fleet(stack: Rendered, name: str, load: Callable[[int], int], late_minutes: int = 0) -> Fleet:
    return Fleet(Rules.of(stack, name), START_MINUTES[name], load, late_minutes)


def run_of(chains: int, minutes: int, begins: int = 10) -> Callable[[int], int]:
    """So many messages all the time that the run takes."""
    return lambda minute: chains if begins <= minute < begins + minutes else 0


@pytest.mark.parametrize("name", FLEETS)
@pytest.mark.parametrize("chains", [1, 7, 400])
def test_from_zero_workers_are_wanted_in_the_first_minute_that_shows_work(
    stack: Rendered, name: str, chains: int
) -> None:
    history = fleet(stack, name, run_of(chains, 60)).run().history
    assert history[:10] == [0] * 10
    assert history[10] >= 1


@pytest.mark.parametrize("name", FLEETS)
@pytest.mark.parametrize("starts", [START_MINUTES, SLOW_START_MINUTES], ids=["quick start", "slow start"])
@pytest.mark.parametrize("chains", [1, 2, 3, 5, 8, 12, 16, 40, 100, 1000])
def test_a_run_gets_as_many_workers_as_it_has_work_for_and_they_stay(
    stack: Rendered, name: str, starts: dict[str, int], chains: int
) -> None:
    rules = Rules.of(stack, name)
    fits = min(rules.most, -(-chains // int(rules.target)))
    ran = Fleet(rules, starts[name], run_of(chains, 120)).run()
    assert set(ran.history[10 + 30 : 10 + 120]) == {fits}
    # up, never beyond what it has work for, and down to zero: once each
    assert max(ran.history) == fits
    assert ran.changes() == [*sorted(set(ran.changes()) - {0}), 0]


@pytest.mark.parametrize("name", FLEETS)
def test_without_work_a_fleet_is_back_at_zero_soon_after_its_idle_time(stack: Rendered, name: str) -> None:
    rules = Rules.of(stack, name)
    ran = fleet(stack, name, run_of(40, 60)).run()
    end = 10 + 60
    zero = next(minute for minute in range(end, HORIZON_MINUTES) if ran.history[minute] == 0)
    assert rules.to_zero.minutes - 1 <= zero - end <= rules.to_zero.minutes + 1
    assert set(ran.history[zero:]) == {0}
    assert ran.running_history[-1] == 0


@pytest.mark.parametrize("name", FLEETS)
def test_a_pause_that_is_shorter_than_the_idle_time_ends_no_worker(stack: Rendered, name: str) -> None:
    pause = Rules.of(stack, name).to_zero.minutes - 2

    def load(minute: int) -> int:
        return 40 if 10 <= minute < 60 or 60 + pause <= minute < 120 else 0

    history = fleet(stack, name, load).run().history
    assert min(history[10:120]) >= 1
    assert len(set(history[50:120])) == 1


@pytest.mark.parametrize("name", FLEETS)
def test_one_long_step_keeps_its_worker(stack: Rendered, name: str) -> None:
    history = fleet(stack, name, run_of(1, 180)).run().history
    assert set(history[10 : 10 + 180]) == {1}


@pytest.mark.parametrize("name", FLEETS)
def test_what_start_set_is_not_undone_while_the_queues_metrics_come_late(stack: Rendered, name: str) -> None:
    ran = fleet(stack, name, run_of(4, 60, begins=0), late_minutes=15)
    ran.scaler.desired = 1
    ran.run()
    assert min(ran.history[:60]) >= 1


@pytest.mark.parametrize("name", FLEETS)
def test_no_fleet_exceeds_its_max(stack: Rendered, name: str) -> None:
    rules = Rules.of(stack, name)
    assert max(fleet(stack, name, run_of(10_000, 120)).run().history) == rules.most


@pytest.mark.parametrize("name", FLEETS)
def test_an_idle_fleet_stays_at_zero(stack: Rendered, name: str) -> None:
    assert set(fleet(stack, name, lambda _: 0).run().history) == {0}


@pytest.mark.parametrize("name", FLEETS)
def test_the_first_step_is_at_most_what_the_backlog_is_enough_for(stack: Rendered, name: str) -> None:
    rules = Rules.of(stack, name)
    for waiting in range(1, 300):
        assert 1 <= rules.step_for(waiting) <= max(1, waiting / rules.target)


@pytest.mark.parametrize("name", FLEETS)
def test_the_worker_that_start_asked_for_and_the_alarms_first_are_one_too_many_at_most(
    stack: Rendered, name: str
) -> None:
    ran = fleet(stack, name, run_of(1, 60, begins=0))
    ran.scaler.desired = 1
    ran.run()
    assert max(ran.history) <= 1 + 1
    assert ran.history[-1] == 0


@pytest.mark.parametrize("name", FLEETS)
def test_what_start_set_is_not_undone_by_an_alarm_about_the_idle_hours_before(stack: Rendered, name: str) -> None:
    hour = 60
    ran = fleet(stack, name, run_of(4, 60, begins=hour + 2)).run(hour)
    ran.scaler.desired = 1
    for minute in range(hour, 2 * hour):
        ran.minute(minute)
    assert min(ran.history[hour:]) >= 1
