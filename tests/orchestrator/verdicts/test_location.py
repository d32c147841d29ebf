from __future__ import annotations

import numpy as np
import pytest

from orchestrator.verdicts.location import located, located_apart, trimmed_mean

TRIES = 600


@pytest.mark.parametrize("rounds", [3, 5, 10, 20])
def test_rounds_without_a_difference_are_called_about_as_often_as_it_says(rounds: int) -> None:
    """At a tenth, so that few tries tell: a percentile interval of three rounds calls a third of them."""
    chance = np.random.default_rng(1)
    called = sum(located(chance.normal(0, 1, rounds)).p < 0.1 for _ in range(TRIES)) / TRIES
    assert 0.03 < called < 0.13


def test_far_out_in_the_tails_ten_rounds_hold_as_well() -> None:
    """What Holm's steps ask of many cases, and where a bootstrap has nothing to go by."""
    chance = np.random.default_rng(2)
    assert sum(located(chance.normal(0, 1, 10)).p < 0.001 for _ in range(2_000)) <= 6


def test_unpaired_sets_without_a_difference_are_called_no_more_often_than_it_says() -> None:
    chance = np.random.default_rng(3)
    pairs = [(chance.normal(0, 1, 10), chance.normal(0, 3, 8)) for _ in range(TRIES)]
    assert sum(located_apart(*pair).p < 0.1 for pair in pairs) / TRIES < 0.13
    assert located_apart(*pairs[0]).freedom == 7


def test_two_of_ten_values_may_be_anything() -> None:
    values = np.arange(10.0)
    assert trimmed_mean(values) == 4.5
    assert trimmed_mean(np.append(values[:8], [1e9, 1e12])) == 4.5


def test_the_same_values_give_the_same_figures() -> None:
    values = np.random.default_rng(4).normal(0, 1, 12)
    assert located(values) == located(values.copy())
