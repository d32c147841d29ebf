from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdicts.shape import drift, levels
from tests.orchestrator.verdicts.given import noisy


def test_a_rise_from_first_to_last_is_told_with_its_size() -> None:
    rising = [100 + number + (number % 3) for number in range(20)]
    assert drift(rising) == pytest.approx(0.17, abs=0.03)
    assert (drift(rising[::-1]) or 0) < 0


def test_rounds_without_order_do_not_drift() -> None:
    drifting = [drift([*noisy(1e9, 10, 0.2, seed).values()]) for seed in range(100)]
    assert sum(each is not None for each in drifting) <= 4


@pytest.mark.parametrize("values", [[], [1.0], [1, 2, 3], [5.0] * 10, [0.0] * 10])
def test_too_few_rounds_or_none_that_differ_have_no_shape(values: list[float]) -> None:
    assert drift(values) is None
    assert levels(values) is None


def test_two_levels_are_found_with_the_rounds_on_the_upper_one() -> None:
    found = levels([100, 101, 130, 100, 131, 99, 130, 100, 101, 129])
    assert found is not None
    assert (round(found.lower), round(found.upper), found.on_upper) == (100, 130, 4)


def test_one_level_is_rarely_taken_for_two() -> None:
    chance = np.random.default_rng(1)
    for count in (8, 10, 20, 40):
        found = [levels([*np.exp(chance.normal(0, 0.1, count))]) for _ in range(100)]
        assert sum(each is not None for each in found) <= 6


@given(st.lists(st.integers(-5, 10**9), max_size=30))
def test_whatever_the_rounds_are_both_answer(values: list[int]) -> None:
    drift(values)
    levels(values)
