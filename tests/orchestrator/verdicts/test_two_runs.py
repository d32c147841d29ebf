from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdicts.two_runs import two_experiments, two_runs
from tests.orchestrator.verdicts.given import noisy, times

STEPS = st.lists(st.integers(-(10**6), 10**12), max_size=60)


def _steps(count: int, seed: int, keeps: float = 0.0) -> list[float]:
    """Steps that are the more like the one before, the more of it they keep."""
    chance = np.random.default_rng(seed)
    off, found = 0.0, []
    for shock in chance.normal(0, 0.05, count):
        off = keeps * off + shock
        found.append(float(1e9 * np.exp(off)))
    return found


def test_a_run_that_is_slower_throughout_is_called() -> None:
    found = two_runs([step * 1.3 for step in _steps(100, 1)], _steps(100, 2))
    assert found.verdict == "more"
    assert found.estimate == pytest.approx(1.3, rel=0.03)


def test_steps_that_follow_each_other_alike_are_not_counted_as_so_many_witnesses() -> None:
    called = [two_runs(_steps(100, seed, 0.8), _steps(100, seed + 1, 0.8)).verdict for seed in range(0, 200, 2)]
    assert called.count("no difference seen") >= 95


@given(STEPS, STEPS)
def test_whatever_the_steps_are_every_figure_is_a_number_or_absent(ours: list[int], theirs: list[int]) -> None:
    found = two_runs(ours, theirs)
    json.dumps(found.model_dump(), allow_nan=False)
    assert (found.verdict == "cannot tell") == (found.reason is not None)


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ([], [1.0], "the case has nothing that was measured"),
        ([1.0], [], "the baseline has nothing that was measured"),
        ([2.0], [1.0], "fewer than 6 steps cannot tell how sure it is"),
    ],
)
def test_one_sample_has_an_estimate_at_most_and_a_reason(ours: list[float], theirs: list[float], reason: str) -> None:
    found = two_runs(ours, theirs)
    assert (found.verdict, found.reason) == ("cannot tell", reason)
    assert found.estimate == (2.0 if ours and theirs else None)


def test_rounds_of_two_experiments_are_not_paired() -> None:
    """The same round number means nothing: a case in another order is the same case."""
    case, baseline = times(noisy(1e9, seed=1), 1.5), noisy(1e9, seed=2)
    turned = {11 - number: value for number, value in case.items()}
    one, other = two_experiments(case, baseline), two_experiments(turned, baseline)
    assert one.verdict == other.verdict == "more"
    assert one.estimate == pytest.approx(other.estimate)


def test_two_experiments_of_few_rounds_cannot_tell() -> None:
    assert (
        two_experiments({1: 1.0, 2: 1.0}, noisy(1.0)).reason == "2 rounds cannot tell how sure this is; 3 or more can"
    )
    assert two_experiments({}, noisy(1.0)).reason == "the case has nothing that was measured"
