from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.verdicts.comparison import ALPHA, Comparison, paired
from orchestrator.verdicts.rounds import ByRound
from tests.orchestrator.verdicts.given import ANYTHING, ROUNDS, close, noisy, times

BASELINE = noisy(1e9, seed=1)


def test_a_case_that_needs_half_as_much_is_called_with_its_ratio() -> None:
    found = paired(noisy(5e8, seed=2), BASELINE)
    assert found.verdict == "less"
    assert found.estimate == pytest.approx(0.5, rel=0.03)
    assert found.interval is not None
    assert found.interval.low < 0.5 < found.interval.high < 0.55
    assert found.effect is not None
    assert (found.effect.delta, found.effect.size) == (-1.0, "large")


def test_a_case_that_is_the_same_is_not_called_and_tells_what_could_have_been_seen() -> None:
    found = paired(noisy(1e9, seed=2), BASELINE)
    assert found.verdict == "no difference seen"
    assert found.detectable is not None
    assert 1.01 < found.detectable < 1.08
    assert paired(times(noisy(1e9, seed=2), found.detectable * 1.02), BASELINE).verdict == "more"


def test_what_befalls_a_whole_round_does_not_hide_a_difference() -> None:
    storm = {number: 2.0 ** (number % 4) for number in BASELINE}
    case = {number: value * storm[number] * 1.05 for number, value in noisy(1e9, spread=0.005, seed=2).items()}
    baseline = {number: value * storm[number] for number, value in noisy(1e9, spread=0.005, seed=3).items()}
    assert paired(case, baseline).verdict == "more"


def test_two_rounds_that_went_wrong_do_not_carry_the_estimate_away() -> None:
    found = paired(times(BASELINE, 1.1) | {3: 9e9, 7: 5e9}, noisy(1e9, seed=5))
    assert found.estimate == pytest.approx(1.1, rel=0.03)


@given(ROUNDS, ROUNDS)
def test_swapped_sides_give_the_inverse_and_the_other_verdict(ours: ByRound, theirs: ByRound) -> None:
    one, other = paired(ours, theirs), paired(theirs, ours)
    assert other.verdict == {"less": "more", "more": "less"}.get(one.verdict, one.verdict)
    assert close(one.p, other.p)
    if one.estimate is not None and other.estimate is not None:
        assert one.estimate * other.estimate == pytest.approx(1)
    if one.interval is not None and other.interval is not None:
        assert one.interval.low * other.interval.high == pytest.approx(1, rel=1e-6)


@given(ROUNDS, ROUNDS, st.sampled_from([1e-3, 0.5, 7.0, 1e6]))
def test_another_unit_changes_nothing(ours: ByRound, theirs: ByRound, factor: float) -> None:
    one, other = paired(ours, theirs), paired(times(ours, factor), times(theirs, factor))
    assert (one.verdict, one.rounds, one.reason) == (other.verdict, other.rounds, other.reason)
    assert close(one.estimate, other.estimate)
    assert close(one.p, other.p)


@given(ROUNDS, ROUNDS, st.floats(1.01, 100))
def test_a_case_that_takes_longer_throughout_is_estimated_longer_and_as_sure(
    ours: ByRound, theirs: ByRound, factor: float
) -> None:
    one, other = paired(ours, theirs), paired(times(ours, factor), theirs)
    assume(one.estimate is not None)
    assert other.estimate == pytest.approx((one.estimate or 0) * factor)
    assert close(one.error, other.error)


@given(ANYTHING, ANYTHING)
def test_whatever_the_numbers_are_every_figure_is_a_number_or_absent(ours: ByRound, theirs: ByRound) -> None:
    found = paired(ours, theirs)
    json.dumps(found.model_dump(), allow_nan=False)
    assert found == Comparison.model_validate_json(found.model_dump_json())
    assert (found.verdict == "cannot tell") == (found.interval is None) == (found.reason is not None)


@given(ANYTHING, ANYTHING)
def test_called_is_what_has_a_small_p_and_an_interval_without_no_difference(ours: ByRound, theirs: ByRound) -> None:
    found = paired(ours, theirs)
    if found.p is None or found.interval is None or found.estimate is None:
        return
    same = 1.0 if found.scale == "ratio" else 0.0
    called = found.verdict in {"less", "more"}
    assert called == (found.p < ALPHA)
    assume(abs(found.p - ALPHA) > 1e-9)
    assert called == (not found.interval.low <= same <= found.interval.high)
    assert found.interval.low <= found.estimate <= found.interval.high


@given(ROUNDS)
def test_a_case_that_is_its_own_baseline_is_never_called(values: ByRound) -> None:
    found = paired(values, values)
    assert found.verdict == ("no difference seen" if len(values) >= 3 else "cannot tell")


@pytest.mark.parametrize(
    ("case", "baseline", "reason"),
    [
        ({}, {1: 1.0}, "the case has no round that was measured"),
        ({1: 1.0}, {}, "the baseline has no round that was measured"),
        ({1: 1.0}, {2: 1.0}, "the case and the baseline have no round in common"),
        ({1: 1.0}, {1: 2.0}, "1 round cannot tell how sure this is; 3 or more can"),
        ({1: 1.0, 2: 1.0, 5: 1.0}, {1: 2.0, 2: 2.0}, "2 rounds cannot tell how sure this is; 3 or more can"),
    ],
)
def test_too_few_rounds_have_a_reason_in_place_of_a_verdict(
    case: Mapping[int, float], baseline: Mapping[int, float], reason: str
) -> None:
    found = paired(case, baseline)
    assert (found.verdict, found.interval, found.p, found.reason) == ("cannot tell", None, None, reason)
    assert close(found.estimate, 0.5 if found.rounds else None)


def test_what_never_varies_is_known_exactly() -> None:
    """Sizes of objects."""
    found = paired(dict.fromkeys(range(10), 300), dict.fromkeys(range(10), 400))
    assert (found.verdict, found.p, found.detectable) == ("less", 0.0, 1.0)
    assert close(found.estimate, 0.75)


def test_a_phase_that_takes_no_time_is_compared_by_the_difference() -> None:
    """Decompress with `none`."""
    found = paired(noisy(1e6), dict.fromkeys(range(1, 11), 0))
    assert (found.scale, found.verdict) == ("difference", "more")
    assert found.estimate == pytest.approx(1e6, rel=0.02)
    nothing = paired(dict.fromkeys(range(10), 0), dict.fromkeys(range(10), 0))
    assert (nothing.verdict, nothing.estimate, nothing.scale) == ("no difference seen", 0.0, "difference")


def test_one_odd_round_among_whole_milliseconds_is_no_difference() -> None:
    """The middle of the resamples has no width there, and must not be taken for certainty."""
    found = paired(dict.fromkeys(range(10), 2) | {3: 3}, dict.fromkeys(range(10), 2))
    assert found.verdict == "no difference seen"
    assert found.interval is not None
    assert found.interval.low < 1 < found.interval.high
