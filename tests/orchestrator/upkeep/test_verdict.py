from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.upkeep.local_file import LocalFile, State
from orchestrator.upkeep.remains import Remains, ResultsQueue
from orchestrator.upkeep.verdict import CLOCKS_DIFFER_SECONDS, LEASE_FRESH_SECONDS, Terms, why_kept

NOW = datetime(2031, 2, 3, tzinfo=UTC)
HOUR, DAY = 3_600.0, 86_400.0


def kept(
    state: State = "not here",
    age_seconds: float = 365 * DAY,
    *,
    messages: int | None = None,
    older_than: float | None = None,
    named: bool = False,
    own_expiry: float | None = None,
    lease_age: float | None = None,
    file_age: float | None = None,
) -> str | None:
    queue = None if messages is None else ResultsQueue("url", messages)
    remains = Remains("run", NOW - timedelta(seconds=age_seconds), queue=queue)
    remains.lease_written = None if lease_age is None else NOW - timedelta(seconds=lease_age)
    terms = Terms(older_than, named, step_expiry_seconds=DAY)
    written = NOW - timedelta(seconds=age_seconds if file_age is None else file_age)
    return why_kept(remains, LocalFile(Path("out/metrics-run.jsonl"), state, own_expiry, written), terms, NOW)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("state", "told"),
    [("at work", "at work on this machine"), ("unfinished", "resume it"), ("unreadable", "cannot be read")],
)
def test_a_run_that_may_go_on_here_is_kept_however_old_it_is(state: State, told: str, named: bool) -> None:
    assert told in (kept(state, older_than=0, named=named) or "")


@pytest.mark.parametrize("state", ["not here", "finished"])
def test_a_run_whose_results_queue_holds_messages_is_kept(state: State) -> None:
    assert "holds messages (about 2)" in (kept(state, messages=2, older_than=0, named=True) or "")
    assert kept(state, messages=0) is None


@pytest.mark.parametrize("state", ["not here", "finished"])
def test_a_run_whose_lease_is_young_is_kept_whatever_the_file_on_this_machine_says(state: State) -> None:
    for age_seconds in (-60, 0, LEASE_FRESH_SECONDS - 1):  # the store's clock may be ahead
        told = kept(state, older_than=0, named=True, own_expiry=0, lease_age=age_seconds)
        assert "may be going on elsewhere" in (told or "")
    assert kept(state, older_than=0, named=True, own_expiry=0, lease_age=LEASE_FRESH_SECONDS) is None


@pytest.mark.parametrize(
    ("state", "older_than", "named", "own_expiry", "over_after"),
    [
        ("finished", None, False, DAY, 7 * DAY),
        ("finished", None, True, DAY, 0),
        ("finished", HOUR, False, DAY, HOUR),
        ("finished", HOUR, True, DAY, HOUR),
        ("not here", None, False, None, 7 * DAY),
        ("not here", None, True, None, DAY),
        ("not here", HOUR, False, None, DAY),
        ("not here", 3 * DAY, True, None, 3 * DAY),
    ],
)
def test_a_run_is_over_when_nothing_was_heard_of_it_for_so_long(
    state: State, older_than: float | None, named: bool, own_expiry: float | None, over_after: float
) -> None:
    def kept_at(age_seconds: float) -> str | None:
        return kept(state, age_seconds, older_than=older_than, named=named, own_expiry=own_expiry)

    assert kept_at(over_after) is None
    assert "it counts as over after" in (kept_at(over_after - 1) or "")


@pytest.mark.parametrize(
    "sign", [{"messages": 0}, {"file_age": HOUR + CLOCKS_DIFFER_SECONDS + 1}], ids=["its queue", "a younger object"]
)
def test_a_finished_run_that_shows_a_sign_of_life_since_is_kept_until_its_steps_expire(sign: dict[str, Any]) -> None:
    told = kept("finished", HOUR, named=True, own_expiry=DAY, **sign) or ""
    assert told.endswith("so it may have been gone on with elsewhere")
    assert kept("finished", HOUR, named=True, own_expiry=HOUR, **sign) is None


def test_clocks_that_differ_are_no_sign_of_life() -> None:
    assert kept("finished", HOUR, named=True, own_expiry=DAY, file_age=HOUR + CLOCKS_DIFFER_SECONDS) is None


def test_what_is_younger_than_now_is_kept() -> None:
    assert kept("finished", age_seconds=-60, named=True) is not None
