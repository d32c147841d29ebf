from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from orchestrator.verdicts import ENOUGH_ROUNDS, enough
from orchestrator.verdicts.comparison import paired
from tests.orchestrator.verdicts.given import noisy, times


def test_it_is_asked_ever_more_seldom_and_never_of_a_few_rounds() -> None:
    looks = list(enough.looks(500))
    gaps = np.diff(looks)

    assert looks[:4] == [10, 12, 15, 18]
    assert looks[0] == ENOUGH_ROUNDS
    assert list(gaps) == sorted(gaps)
    assert looks[-1] <= 500
    assert list(enough.looks(9)) == []


def test_a_near_case_is_waited_for_until_the_difference_would_be_found() -> None:
    found = paired(noisy(1e9, 30, 0.05), noisy(1e9, 30, 0.05, seed=2))

    assert found.detectable is not None
    assert enough.is_seen(found, found.detectable - 1 + 1e-9)
    assert not enough.is_seen(found, found.detectable - 1 - 1e-3)


def test_of_a_case_that_is_far_away_a_quarter_of_the_way_is_enough() -> None:
    base = noisy(1e9, 12, 0.1)
    far = times(noisy(1e9, 12, 0.1, seed=2), 5)

    assert not enough.is_seen(paired(noisy(1e9, 12, 0.1, seed=2), base), 0.05)
    assert enough.is_seen(paired(far, base), 0.05)
    assert enough.is_seen(paired(base, far), 0.05)


def test_a_quarter_of_the_way_is_on_the_scale_of_factors() -> None:
    found = paired(times(noisy(1e9, 12, 0.1, seed=2), 5), noisy(1e9, 12, 0.1))
    assert found.detectable is not None
    nearest = log(found.detectable) * 4  # from there on a quarter of the way is as much as would be seen

    nearer, farther = (found.model_copy(update={"estimate": exp(nearest * by)}) for by in (0.99, 1.01))

    assert not enough.is_seen(nearer, 0.05)
    assert enough.is_seen(farther, 0.05)


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_nothing_is_seen_where_there_is_no_ratio_or_no_interval(rounds: int) -> None:
    nothing = dict.fromkeys(range(1, rounds + 1), 0.0)

    assert not enough.is_seen(paired(nothing, noisy(1e9, rounds)), 1.0)
    assert not enough.is_seen(paired({}, noisy(1e9, rounds)), 1.0)
    assert not enough.is_seen(paired(noisy(1e9, 2), noisy(1e9, 2)), 1.0)
