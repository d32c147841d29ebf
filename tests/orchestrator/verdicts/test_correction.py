from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdicts.comparison import ALPHA, paired
from orchestrator.verdicts.correction import corrected
from orchestrator.verdicts.rounds import ByRound
from tests.orchestrator.verdicts.given import ROUNDS, noisy, times

BASELINE = noisy(1e9)
FAMILIES = st.lists(ROUNDS, max_size=6)


def test_of_thirty_that_are_the_same_none_is_called_where_one_alone_would_have_been() -> None:
    alone = {f"{seed}": paired(noisy(1e9, seed=seed), BASELINE, alpha=0.1) for seed in range(2, 32)}
    assert any(each.verdict != "no difference seen" for each in alone.values())
    assert {each.verdict for each in corrected(alone, alpha=0.1).values()} == {"no difference seen"}


def test_a_large_difference_is_called_among_many() -> None:
    family = {f"{seed}": paired(noisy(1e9, seed=seed), BASELINE) for seed in range(2, 20)}
    family["fast"] = paired(times(noisy(1e9, seed=30), 0.5), BASELINE)
    assert corrected(family)["fast"].verdict == "less"


def test_one_alone_stays_as_it_is() -> None:
    found = paired(noisy(1.1e9, seed=2), BASELINE)
    assert corrected({"one": found})["one"] == found


def test_what_cannot_tell_does_not_count() -> None:
    found = paired(noisy(1.1e9, seed=2), BASELINE)
    silent = paired({}, BASELINE)
    assert corrected({"one": found, "none": silent}) == {"one": found, "none": silent}


@given(FAMILIES)
def test_verdicts_intervals_and_chances_agree(cases: list[ByRound]) -> None:
    family = {f"{number}": paired(case, BASELINE) for number, case in enumerate(cases)}
    for each in corrected(family).values():
        if each.p is None or each.interval is None:
            continue
        called = each.verdict in {"less", "more"}
        assert called == (each.p < ALPHA)
        if called:
            assert each.interval.low >= 1 or each.interval.high <= 1
        else:
            assert each.interval.low <= 1 <= each.interval.high


def test_what_only_the_steps_call_has_an_interval_that_ends_at_no_difference() -> None:
    """Beside one that is certain, the other is held against all of alpha, and its interval against half of it."""
    other = paired(noisy(1.02e9, seed=2), BASELINE)
    assert other.p is not None
    certain = paired(times(noisy(1e9, seed=3), 5), BASELINE)
    found = corrected({"certain": certain, "other": other}, alpha=other.p * 1.5)["other"]
    assert found.verdict == "more"
    assert found.interval is not None
    assert found.interval.low == 1.0


@given(FAMILIES)
def test_among_others_nothing_is_surer_than_alone_and_the_order_stays(cases: list[ByRound]) -> None:
    family = {f"{number}": paired(case, BASELINE) for number, case in enumerate(cases)}
    together = corrected(family)
    known = [(each.p, together[name].p) for name, each in family.items() if each.p is not None]
    assert all((after or 0) >= before for before, after in known)
    assert all((one[1] or 0) <= (other[1] or 0) for one, other in pairwise(sorted(known)))


def test_the_chances_are_those_of_holms_steps() -> None:
    """Three p of which each is held against what is left."""
    template = paired(noisy(1.1e9, seed=2), BASELINE)
    family = {name: template.model_copy(update={"p": p}) for name, p in (("a", 0.03), ("b", 0.001), ("c", 0.02))}
    assert {name: each.p for name, each in corrected(family).items()} == pytest.approx(
        {"b": 0.003, "c": 0.04, "a": 0.04}
    )
