from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestrator.verdicts.ranking import Rank, beaten, ranked
from orchestrator.verdicts.rounds import ByRound
from tests.orchestrator.verdicts.given import ROUNDS, noisy


def _range(rank: Rank) -> tuple[str, int | None, int | None]:
    return rank.case, rank.best, rank.worst


def test_cases_that_cannot_be_told_apart_share_their_ranks() -> None:
    cases = {"slow": noisy(2e9, seed=1), "one": noisy(1e9, seed=2), "other": noisy(1e9, seed=3)}
    first, second, last = ranked(cases)
    assert {_range(first), _range(second)} == {("one", 1, 2), ("other", 1, 2)}
    assert _range(last) == ("slow", 3, 3)
    assert first.not_told_apart == (second.case,)


def test_of_a_row_of_three_the_middle_one_may_be_at_either_end() -> None:
    cases = {"left": noisy(1.00e9, seed=1), "middle": noisy(1.02e9, seed=2), "right": noisy(1.06e9, seed=3)}
    assert beaten(cases) == {("left", "right")}
    assert [_range(rank) for rank in ranked(cases)] == [("left", 1, 2), ("middle", 1, 3), ("right", 2, 3)]


def test_cases_without_a_round_come_last_and_have_no_rank() -> None:
    assert [_range(rank) for rank in ranked({"failed": {}, "one": noisy(1e9)})] == [
        ("one", 1, 1),
        ("failed", None, None),
    ]


def test_there_may_be_nothing_to_rank() -> None:
    assert ranked({}) == ()


@given(st.lists(ROUNDS, max_size=5))
@hypothesis_settings(max_examples=40)
def test_ranges_of_cases_that_are_not_told_apart_overlap(cases: list[ByRound]) -> None:
    found = {rank.case: rank for rank in ranked({f"{number}": case for number, case in enumerate(cases)})}
    for rank in found.values():
        for name in rank.not_told_apart:
            assert rank.best is not None
            assert rank.best <= (found[name].worst or 0)
            assert rank.case in found[name].not_told_apart
