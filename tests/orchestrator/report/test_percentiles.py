from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.percentiles import median_mb_per_second, percentile, spread, spread_or_none

NUMBERS = st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=50)
FRACTIONS = st.floats(0, 1)


@pytest.mark.parametrize(
    ("values", "fraction", "expected"),
    [
        ([7], 0.95, 7),
        ([1, 2], 0.5, 1.5),
        ([1, 2, 3, 4], 0.5, 2.5),
        ([10, 20, 30, 40, 50], 0.95, 48),
        (list(range(101)), 0.95, 95),
    ],
)
def test_between_two_values_it_is_linear(values: list[float], fraction: float, expected: float) -> None:
    assert percentile(values, fraction) == pytest.approx(expected)


@given(NUMBERS, FRACTIONS)
def test_it_lies_between_the_smallest_and_the_largest(values: list[int], fraction: float) -> None:
    ordered = sorted(values)
    assert ordered[0] <= percentile(ordered, fraction) <= ordered[-1]


@given(NUMBERS, FRACTIONS, FRACTIONS)
def test_it_never_falls_as_the_fraction_rises(values: list[int], one: float, other: float) -> None:
    ordered = sorted(values)
    low, high = sorted((one, other))
    assert percentile(ordered, low) <= percentile(ordered, high)


@given(NUMBERS)
def test_its_ends_are_the_extremes_and_a_shift_shifts_it(values: list[int]) -> None:
    ordered = sorted(values)
    assert (percentile(ordered, 0), percentile(ordered, 1)) == (ordered[0], ordered[-1])
    moved = [value + 1000 for value in ordered]
    assert percentile(moved, 0.5) - percentile(ordered, 0.5) == pytest.approx(1000)


@given(NUMBERS)
def test_a_spread_is_in_order_whatever_the_order_of_the_values(values: list[int]) -> None:
    one = spread(values)
    assert one.p50 <= one.p95 <= one.max == max(values)
    assert one.count == len(values)
    assert one == spread(reversed(values))


def test_no_values_have_no_spread() -> None:
    assert spread_or_none([]) is None
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_rate_is_the_median_of_the_samples_rates() -> None:
    second = 10**9
    assert median_mb_per_second([(50_000_000, second), (50_000_000, second // 2), (50_000_000, 5 * second)]) == 50.0


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(50_000_000, 900)],
        [(0, 10**9)],
        [(50_000_000, 0)],
        [(50_000_000, 100_000)],
        [(50_000_000, 10**9), (50_000_000, 900)],
    ],
)
def test_there_is_no_rate_where_the_durations_say_nothing_about_the_bytes(pairs: list[tuple[int, int]]) -> None:
    assert median_mb_per_second(pairs) is None
