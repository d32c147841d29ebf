from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdicts.student import quantile, two_sided


@pytest.mark.parametrize(
    ("chance", "freedom", "expected"),
    [
        (0.05, 1, 12.7062),
        (0.05, 2, 4.3027),
        (0.01, 5, 4.0321),
        (0.01, 9, 3.2498),
        (0.05, 10, 2.2281),
        (0.01, 30, 2.7500),
        (0.001, 9, 4.7809),
        (0.05, 120, 1.9799),
    ],
)
def test_quantiles_are_those_of_the_printed_tables(chance: float, freedom: int, expected: float) -> None:
    assert quantile(chance, freedom) == pytest.approx(expected, abs=5e-5)


@given(st.floats(1e-9, 0.999), st.integers(1, 200))
def test_a_quantile_is_exceeded_with_its_chance(chance: float, freedom: int) -> None:
    assert two_sided(quantile(chance, freedom), freedom) == pytest.approx(chance, rel=1e-4, abs=1e-14)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 100))
def test_farther_out_is_never_likelier(one: float, other: float, freedom: int) -> None:
    near, far = sorted((one, other))
    assert 0 <= two_sided(far, freedom) <= two_sided(near, freedom) + 1e-12 <= 1 + 1e-12


def test_there_is_no_distribution_without_freedom() -> None:
    with pytest.raises(ValueError, match="0 degrees"):
        two_sided(1.0, 0)
