"""The thread that keeps the copy: what a run learns of it, and when."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import CLOCK_MONOTONIC, sleep
from typing import Any

import pytest

from orchestrator.run.journal import Journal
from orchestrator.s3_copy import keeping as keeping_module
from orchestrator.s3_copy import lease as leases
from orchestrator.s3_copy.keeping import Base, Kept, interval_seconds, renewal_seconds
from orchestrator.s3_copy.lease import Held, TakenOver, claim, new_lease
from orchestrator.s3_copy.objects import Objects
from stepbench.errors import EnvironmentRefused
from tests.doubles import refused
from tests.orchestrator.s3_copy.store import NAMES, RUN, Store, kept_in

INTERVAL_SECONDS = 3_600.0
TAKEN_AFTER_SECONDS = leases.INTERVALS_OF_STANDSTILL * INTERVAL_SECONDS
PATIENCE_SECONDS = 2 * TAKEN_AFTER_SECONDS


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0
        """Awake."""
        self.asleep_seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def gettime(self, clock: int) -> float:
        stands_still = sys.platform == "linux" and clock == CLOCK_MONOTONIC
        return self.seconds + (0.0 if stands_still else self.asleep_seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of the lease's age."""
    clock = Clock()
    monkeypatch.setattr(leases, "monotonic", clock.monotonic)
    monkeypatch.setattr(leases, "clock_gettime", clock.gettime)
    return clock


@pytest.fixture
def store() -> Store:
    return Store()


def held_in(store: Store, path: Path, *, force: bool = False) -> Held:
    path.touch()
    mine = new_lease(RUN, path, 1, INTERVAL_SECONDS)
    return claim(kept_in(store), mine, force=force, sleep=sleep, say=lambda _: None)


@contextmanager
def kept(store: Store, folder: Path, worded: Callable[[BaseException], str] = str) -> Iterator[Kept]:
    path = folder / "metrics.jsonl"
    client: Any = store
    held = held_in(store, path)
    journal = Journal(path, again=True)
    journal.cut(path.stat().st_size)
    with Kept(
        Objects(client, "payloads", NAMES), held, journal, 3_600, Base(0, 0), PATIENCE_SECONDS, worded
    ) as keeping:
        yield keeping
    journal.close()


def silent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_down(**_: Any) -> None:
        raise refused("SlowDown", "PutObject", 503)

    monkeypatch.setattr(store, "put_object", slow_down)


def test_a_run_whose_lease_may_be_anothers_by_now_goes_no_further(
    store: Store, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kept(store, tmp_path) as keeping:
        silent(store, monkeypatch)
        clock.seconds += TAKEN_AFTER_SECONDS - 1
        keeping.check()
        clock.seconds += PATIENCE_SECONDS
        with pytest.raises(EnvironmentRefused, match=r"no renewal .* for \d+ s.*`resume` goes on.*SlowDown"):
            keeping.check()


@pytest.mark.parametrize(
    ("awake_seconds", "asleep_seconds"),
    [(TAKEN_AFTER_SECONDS, 0.0), (0.0, TAKEN_AFTER_SECONDS + PATIENCE_SECONDS)],
    ids=["awake", "after a sleep"],
)
def test_a_run_whose_lease_may_be_anothers_waits_for_a_renewal_that_proves_otherwise(
    store: Store,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    awake_seconds: float,
    asleep_seconds: float,
) -> None:
    put_object, refusals = store.put_object, iter([True] * 3)

    def away_for_a_while(**arguments: Any) -> Any:
        if next(refusals, False):
            raise refused("SlowDown", "PutObject", 503)
        return put_object(**arguments)

    monkeypatch.setattr(keeping_module, "sleep", lambda _: None)
    with kept(store, tmp_path) as keeping:
        monkeypatch.setattr(store, "put_object", away_for_a_while)
        clock.seconds += awake_seconds
        clock.asleep_seconds += asleep_seconds
        keeping.check()
        assert store.lease["renewals"] == 1


def test_a_run_that_waits_for_a_renewal_ends_where_another_has_taken_over(
    store: Store, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_object = store.put_object

    def taken_over_meanwhile(_: float) -> None:
        monkeypatch.setattr(store, "put_object", put_object)
        held_in(store, tmp_path / "another", force=True)

    monkeypatch.setattr(keeping_module, "sleep", taken_over_meanwhile)
    with kept(store, tmp_path) as keeping:
        silent(store, monkeypatch)
        clock.seconds += TAKEN_AFTER_SECONDS
        with pytest.raises(TakenOver):
            keeping.check()


def test_a_machine_that_slept_goes_on_where_nobody_has_taken_over(store: Store, tmp_path: Path, clock: Clock) -> None:
    with kept(store, tmp_path) as keeping:
        clock.asleep_seconds += 2 * TAKEN_AFTER_SECONDS
        keeping.check()
        assert store.lease["renewals"] == 1


def test_a_machine_that_slept_stops_where_somebody_has(store: Store, tmp_path: Path, clock: Clock) -> None:
    with kept(store, tmp_path) as keeping:
        held_in(store, tmp_path / "another", force=True)
        clock.asleep_seconds += TAKEN_AFTER_SECONDS
        with pytest.raises(TakenOver):
            keeping.check()


def test_on_a_store_without_conditions_nobody_takes_over_unseen_so_an_outage_ends_no_run(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store("ignored")
    with kept(store, tmp_path) as keeping:
        silent(store, monkeypatch)
        clock.seconds += TAKEN_AFTER_SECONDS
        keeping.check()


def test_a_thread_that_has_died_is_not_waited_for_and_tells_of_what(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: BaseException) -> str:
        raise LookupError("no words")

    with kept(store, tmp_path, broken) as keeping:
        silent(store, monkeypatch)
        threads = threading.active_count()
        with pytest.raises(LookupError, match="no words"):
            keeping.prove()
        assert threading.active_count() == threads - 1


def test_the_lease_is_renewed_between_the_parts_of_a_backlog(
    store: Store, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b"line\n" * 4
    put_object = store.put_object
    monkeypatch.setattr(keeping_module, "MAX_PART_BYTES", 5)

    def slow(**arguments: Any) -> Any:
        clock.seconds += renewal_seconds(3_600) * arguments["Key"].startswith(NAMES.parts)
        return put_object(**arguments)

    (tmp_path / "metrics.jsonl").write_bytes(lines)
    with kept(store, tmp_path) as keeping:
        monkeypatch.setattr(store, "put_object", slow)
        keeping.prove()
        assert store.lease["renewals"] == 1 + 4


def test_whoever_waits_for_the_lease_waits_longer_than_a_machine_pauses() -> None:
    assert interval_seconds(1) == keeping_module.MIN_INTERVAL_SECONDS
    assert interval_seconds(60) == renewal_seconds(60) == 10
