from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.s3_copy import lease as leases
from orchestrator.s3_copy.lease import Held, Lease, LeaseObject, Moment, TakenOver, claim, new_lease
from stepbench.errors import EnvironmentRefused, UsageError
from tests.doubles import refused
from tests.orchestrator.s3_copy.store import NAMES, RUN, Store, kept_in


def mine(folder: Path, name: str = "metrics.jsonl", epoch: int = 1) -> Lease:
    path = folder / name
    path.touch()
    return new_lease(RUN, path, epoch, interval_seconds=10)


def taken(
    store: Store, lease: Lease, *, force: bool = False, meanwhile: Callable[[], None] = lambda: None
) -> tuple[Held, list[float]]:
    """The lease, and for how long whoever took it has waited each time."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        meanwhile()

    return claim(kept_in(store), lease, force=force, sleep=sleep, say=lambda _: None), waits


@pytest.fixture
def store() -> Store:
    return Store()


def test_where_there_is_none_it_is_made_without_waiting(store: Store, tmp_path: Path) -> None:
    held, waits = taken(store, mine(tmp_path))
    assert waits == []
    assert held.lease.conditional
    assert store.lease["holder"] == held.lease.holder


def test_what_stands_still_for_three_intervals_is_taken_over_with_a_higher_epoch(store: Store, tmp_path: Path) -> None:
    older, _ = taken(store, mine(tmp_path, "older", epoch=7))
    newer, waits = taken(store, mine(tmp_path, "newer", epoch=3))
    assert waits == [10, 10, 10]
    assert newer.lease.epoch == 8
    with pytest.raises(TakenOver, match="another orchestrator has taken over"):
        older.renew()
    newer.renew()


def test_what_is_renewed_is_not_taken_over(store: Store, tmp_path: Path) -> None:
    older, _ = taken(store, mine(tmp_path, "older"))
    with pytest.raises(UsageError, match="still going on"):
        taken(store, mine(tmp_path, "newer"), meanwhile=older.renew)
    older.renew()


def test_what_is_renewed_seldom_is_not_taken_over_either(store: Store, tmp_path: Path) -> None:
    older, _ = taken(store, mine(tmp_path, "older"))
    naps = iter([False, False, True])

    def renew_late() -> None:
        if next(naps):
            older.renew()

    with pytest.raises(UsageError, match="still going on"):
        taken(store, mine(tmp_path, "newer"), meanwhile=renew_late)


def test_of_two_that_take_over_at_once_one_wins(store: Store, tmp_path: Path) -> None:
    taken(store, mine(tmp_path, "dead"))
    naps = iter([False, False, True])
    won: list[Held] = []

    def the_other_one_is_quicker() -> None:
        if next(naps):
            found = kept_in(store).read()
            assert found is not None
            made = kept_in(store).replace(mine(tmp_path, "other", epoch=2), found)
            assert made is not None
            won.append(Held(kept_in(store), made, Moment.now(), made_anew=False))

    with pytest.raises(UsageError, match="has changed"):
        taken(store, mine(tmp_path, "newer"), meanwhile=the_other_one_is_quicker)
    won[0].renew()


def test_between_the_last_look_and_the_write_another_may_win_too(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(store, mine(tmp_path, "dead"))
    replace = LeaseObject.replace

    def a_moment_too_late(self: LeaseObject, lease: Lease, before: Any) -> Any:
        monkeypatch.setattr(LeaseObject, "replace", replace)
        assert replace(self, mine(tmp_path, "other", epoch=2), before) is not None
        return replace(self, lease, before)

    monkeypatch.setattr(LeaseObject, "replace", a_moment_too_late)
    with pytest.raises(UsageError, match="goes on elsewhere"):
        taken(store, mine(tmp_path, "newer"))


def test_what_was_given_back_is_not_waited_for(store: Store, tmp_path: Path) -> None:
    older, _ = taken(store, mine(tmp_path, "older"))
    older.give_back()
    _, waits = taken(store, mine(tmp_path, "newer"))
    assert waits == []
    with pytest.raises(TakenOver):
        older.renew()


def test_who_has_the_lock_on_the_same_file_need_not_wait_for_the_dead(store: Store, tmp_path: Path) -> None:
    taken(store, mine(tmp_path))
    _, waits = taken(store, mine(tmp_path))
    assert waits == []


def test_the_same_name_on_another_machine_is_another_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(store, mine(tmp_path))
    boot = tmp_path / "boot_id"
    boot.write_text("another kernel")
    monkeypatch.setattr(leases, "BOOT_ID", boot)
    _, waits = taken(store, mine(tmp_path))
    assert len(waits) == 3


def test_where_the_kernel_does_not_tell_everybody_is_waited_for(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BOOT_ID", tmp_path / "none")
    taken(store, mine(tmp_path))
    _, waits = taken(store, mine(tmp_path))
    assert len(waits) == 3


def test_a_write_whose_answer_was_lost_is_known_as_ones_own(store: Store, tmp_path: Path) -> None:
    store.answers_lost = 1
    held, _ = taken(store, mine(tmp_path))
    assert held.lease.conditional
    store.answers_lost = 1
    held.renew()
    held.renew()
    assert store.lease["renewals"] == 2


def test_who_finds_the_lease_removed_stops_and_says_how_to_go_on(store: Store, tmp_path: Path) -> None:
    held, _ = taken(store, mine(tmp_path))
    held.end()
    with pytest.raises(TakenOver, match=f"was removed from S3.*resume {RUN} goes on with it"):
        held.renew()
    assert store.objects == {}


def test_an_outage_is_no_loss(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, _ = taken(store, mine(tmp_path))

    def slow_down(**_: Any) -> None:
        raise refused("SlowDown", "PutObject", 503)

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_object", slow_down)
        with pytest.raises(ClientError, match="SlowDown"):
            held.renew()
    held.renew()


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_on_a_store_without_conditions_nobody_takes_over_without_force(conditions: str, tmp_path: Path) -> None:
    store = Store(conditions)
    older, _ = taken(store, mine(tmp_path, "older"))
    assert not older.lease.conditional
    older.renew()
    with pytest.raises(UsageError, match="--force"):
        taken(store, mine(tmp_path, "newer"))
    older.renew()

    _, waits = taken(store, mine(tmp_path, "newer"), force=True)

    assert waits == []
    with pytest.raises(TakenOver):
        older.renew()


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_on_a_store_without_conditions_the_same_file_is_still_proof(conditions: str, tmp_path: Path) -> None:
    store = Store(conditions)
    taken(store, mine(tmp_path))
    held, waits = taken(store, mine(tmp_path))
    assert waits == []
    held.renew()


@pytest.mark.parametrize("content", [b'{"v": 2}', b"garbage"])
def test_what_is_no_lease_is_told_and_can_be_taken_over_with_force(
    store: Store, tmp_path: Path, content: bytes
) -> None:
    store.objects[NAMES.lease] = (content, '"1"')
    with pytest.raises(EnvironmentRefused, match="is no lease of this version's"):
        taken(store, mine(tmp_path))

    held, waits = taken(store, mine(tmp_path), force=True)

    assert waits == []
    assert store.lease["holder"] == held.lease.holder


def test_a_store_that_refuses_the_condition_of_a_renewal_is_told_in_its_own_words(store: Store, tmp_path: Path) -> None:
    held, _ = taken(store, mine(tmp_path))
    store.conditions = "refused"
    with pytest.raises(ClientError, match="NotImplemented"):
        held.renew()
    with pytest.raises(ClientError, match="NotImplemented"):
        taken(store, mine(tmp_path))
    assert store.lease["holder"] == held.lease.holder
