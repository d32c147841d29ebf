from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.truth import injection
from benchmarks.truth._expected import EXPECTED, NEXT, PARTS, Expected, Parts
from benchmarks.truth._injecting import Trio, injected
from benchmarks.truth._priority import first_in_line
from benchmarks.truth._shifts import interval, shifts
from tests.delays.places import PLACES, Delays, Place

DOCS = Path(__file__).parents[2] / "docs" / "truth.md"
DELAY_SECONDS = 0.6
UNMISTAKABLE_MS = DELAY_SECONDS * 1e3 / 2
TURNS = 5
TRIED: tuple[Place, ...] = (
    "S3 GET: reply",
    "executor: encode",
    "completion's send: request",
    "step message's send: reply",
)


def _parts(**milliseconds: float) -> Parts:
    return {part: round(milliseconds.get(part, 1.0) * 1e6) for part in PARTS}


def _turns(delayed: Parts | None = None, following: Parts | None = None) -> list[Trio]:
    return [Trio(delayed or _parts(), following or _parts(), _parts())] * TURNS


def _holds(place: Place, turns: list[Trio], expected: Expected | None = None) -> bool | None:
    return injection.row(place, turns, expected or EXPECTED[place], held=TURNS).holds


def test_every_place_has_a_part_that_there_is_or_none() -> None:
    assert set(EXPECTED) == set(PLACES)
    assert {each.part.removeprefix(NEXT) for each in EXPECTED.values() if each.part} <= set(PARTS)


def test_a_delay_holds_where_it_was_announced_and_nowhere_else() -> None:
    assert _holds("S3 GET: reply", _turns(_parts(download=41)))
    assert not _holds("S3 PUT: reply", _turns(_parts(download=41)))
    assert not _holds("S3 GET: reply", _turns())


@pytest.mark.parametrize("milliseconds", [35, 48])
def test_too_much_and_too_little_of_it_do_not_hold(milliseconds: float) -> None:
    assert not _holds("executor: decode", _turns(_parts(deserialize=milliseconds)))


def test_a_part_that_must_not_move_is_found_in_the_step_and_in_the_one_after_it() -> None:
    delayed = _parts(transit=41)
    assert _holds("completion's send: request", _turns(delayed))
    assert not _holds("completion's send: request", _turns(_parts(transit=41, results_wait=3.5)))
    assert not _holds("completion's send: request", _turns(delayed, _parts(queue_wait=3.5)))


def test_a_delay_that_is_announced_nowhere_holds_only_where_it_was_really_met() -> None:
    turns = _turns()
    place: Place = "step message's send: reply"
    assert injection.row(place, turns, EXPECTED[place], held=TURNS).holds
    assert not injection.row(place, turns, EXPECTED[place], held=TURNS - 1).holds
    assert not _holds(place, _turns(_parts(transit=41)))


def test_what_passes_meanwhile_is_no_part_of_a_delay_that_overlaps_it() -> None:
    # 1 ms each of results wait, turnaround and queue wait, and half of a transit of 1 ms
    assert _holds("completion's send: reply", _turns(following=_parts(worker_wait=1 + 40 - 3.5)))
    assert not _holds("completion's send: reply", _turns(following=_parts(worker_wait=1 + 40 + 3.5)))


def test_an_interval_has_as_few_values_outside_as_the_sign_test_allows() -> None:
    assert interval(range(1, 31)) == (10, 21)
    assert interval(range(1, 6)) == (1, 5)


def test_warm_up_steps_and_those_beyond_the_end_are_never_held_up() -> None:
    delays = Delays(1.0, 0.0, [["executor: decode", None]])
    assert delays.seconds("executor: decode", 1, 1) == 1.0
    assert [delays.of(chain, step) for chain, step in ((-1, 1), (0, 1), (1, 0), (1, 2), (1, 3), (2, 1))] == [None] * 6


def test_who_may_go_first_does_so_within_the_block_and_nobody_afterwards() -> None:
    before = os.sched_getscheduler(0)
    with first_in_line() as first:
        assert os.sched_getscheduler(0) == (os.SCHED_RR if first else before)
    assert os.sched_getscheduler(0) == before


def test_real_programs_show_a_delay_in_the_announced_part_alone_and_nowhere_else() -> None:
    """With a delay that no busy machine can be taken for."""
    found = injected(1, TRIED, DELAY_SECONDS, transform_seconds=DELAY_SECONDS + 0.1)

    for place in TRIED:
        moved = {name for name, each in shifts(found.turns[place]).items() if abs(each.middle_ms) > UNMISTAKABLE_MS}
        assert moved == ({EXPECTED[place].part} if EXPECTED[place].part else set()), place
        assert place.startswith("executor") or found.held[place] == 1, place
    wrong = injection.row(
        "executor: encode", found.turns["executor: encode"], EXPECTED["executor: decode"], 1, DELAY_SECONDS * 1e3
    )
    assert wrong.holds is False
    assert "else serialize" in wrong.figure


def test_the_page_says_what_is_expected_of_each_place() -> None:
    rows = [tuple(line.strip("| \n").split(" | ")) for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    assert [row for row in rows if row[0] in PLACES] == [
        (place, EXPECTED[place].part or "nowhere", EXPECTED[place].why) for place in PLACES
    ]
