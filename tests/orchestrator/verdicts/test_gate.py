from __future__ import annotations

import pytest

from orchestrator.verdicts.comparison import paired
from orchestrator.verdicts.gate import gate
from tests.orchestrator.verdicts.given import noisy, times

BASELINE = noisy(1e9, seed=1)


def _gate(factor: float, spread: float = 0.005, limit: float = 0.05) -> str:
    return gate(paired(times(noisy(1e9, spread=spread, seed=2), factor), noisy(1e9, spread=spread)), limit).outcome


@pytest.mark.parametrize(
    ("factor", "spread", "outcome"),
    [
        (1.20, 0.005, "slower"),
        (1.00, 0.005, "within"),
        (0.50, 0.005, "within"),
        (1.05, 0.005, "undecided"),
        (1.20, 0.3, "undecided"),
        (1.00, 0.3, "undecided"),
    ],
)
def test_only_a_slowness_that_is_shown_to_be_beyond_the_limit_fails(factor: float, spread: float, outcome: str) -> None:
    assert _gate(factor, spread) == outcome


def test_a_difference_that_is_seen_but_smaller_than_the_limit_does_not_fail() -> None:
    found = paired(times(noisy(1e9, spread=0.002, seed=2), 1.02), noisy(1e9, spread=0.002))
    assert found.verdict == "more"
    assert not gate(found, 0.05).fails
    assert gate(found, 0.01).fails


def test_too_few_rounds_fail_nothing_and_say_so() -> None:
    found = gate(paired({1: 2.0}, {1: 1.0}), 0.05)
    assert (found.fails, found.outcome) == (False, "cannot tell")
    assert "1 round cannot tell" in found.sentence


def test_where_there_is_no_ratio_no_percentage_is_held_against_it() -> None:
    found = gate(paired(BASELINE, dict.fromkeys(BASELINE, 0)), 0.05)
    assert (found.fails, found.outcome) == (False, "cannot tell")
    assert "no ratio" in found.sentence


def test_the_sentence_names_the_interval_and_the_limit() -> None:
    found = gate(paired(times(noisy(1e9, spread=0.001, seed=2), 1.2), noisy(1e9, spread=0.001)), 0.05)
    assert found.sentence.startswith("slower than allowed: by 19.")
    assert found.sentence.endswith("the limit is 5.0 %")


def test_what_is_undecided_says_how_much_faster_or_slower_it_may_be() -> None:
    sentence = gate(paired(times(noisy(1e9, spread=0.3, seed=2), 1.0), noisy(1e9, spread=0.3)), 0.05).sentence
    assert " % faster to " in sentence
    assert " % slower, and the limit is 5.0 %" in sentence
    assert "-" not in sentence
