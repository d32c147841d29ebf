from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdicts.own_median import own_median
from orchestrator.verdicts.rounds import ByRound
from tests.orchestrator.verdicts.given import ANYTHING, noisy, times


def test_more_rounds_and_quieter_ones_are_known_better() -> None:
    few, many, quiet = (own_median(noisy(1e9, rounds, spread)) for rounds, spread in ((6, 0.1), (60, 0.1), (6, 0.01)))
    assert (few.relative_width or 0) > (many.relative_width or 9)
    assert (few.relative_width or 0) > (quiet.relative_width or 9)


@given(ANYTHING)
def test_the_median_lies_in_its_interval_and_nothing_is_not_a_number(values: ByRound) -> None:
    found = own_median(values)
    json.dumps(found.model_dump(), allow_nan=False)
    assert (found.interval is None) == (found.reason is not None)
    if found.interval is not None and found.median is not None:
        slack = 1e-9 * abs(found.median)
        assert found.interval.low - slack <= found.median <= found.interval.high + slack


@given(st.sampled_from([1e-6, 3.0, 1e9]))
def test_another_unit_leaves_the_relative_width(factor: float) -> None:
    values = noisy(1e9)
    assert own_median(times(values, factor)).relative_width == pytest.approx(own_median(values).relative_width)


def test_one_round_has_a_median_and_no_interval() -> None:
    found = own_median({4: 7.0})
    assert (found.median, found.interval) == (7.0, None)
    assert found.reason == "1 round cannot tell how sure this is; 3 or more can"


def test_no_round_has_neither() -> None:
    assert own_median({}).reason == "no round was measured"


def test_what_never_varies_is_known_exactly_and_zero_has_no_relative_width() -> None:
    assert own_median(dict.fromkeys(range(5), 3)).relative_width == 0.0
    assert own_median(dict.fromkeys(range(5), 0)).relative_width is None
