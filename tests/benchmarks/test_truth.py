from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.truth import Row, _by_itself, _resampling, _rounds_file, same, slower
from benchmarks.truth import __main__ as truth
from benchmarks.truth._bounds import upper
from benchmarks.truth._noise import NOISES
from benchmarks.truth._resampling import experiments, medians, rounds_taken
from benchmarks.truth._rivals import METHODS
from benchmarks.truth._rounds_file import Measured, Round

STEPS = 3
ARMS = 3


def _made_up(rounds: int, spread: float = 0.02) -> Measured:
    """Rounds of which each is as slow as it likes, with arms that differ by chance."""
    chance = np.random.default_rng(1)
    found = []
    for _ in range(rounds):
        middle = 1e4 * np.exp(chance.normal(0, 0.5))
        times = middle * np.exp(chance.normal(0, spread, (ARMS, 1))) * np.ones((1, STEPS))
        found.append(Round(0.0, [{"total": [round(step) for step in arm]} for arm in times]))
    return Measured("made up", found)


@pytest.mark.parametrize(("hits", "tries", "bound"), [(0, 100, 0.0295), (1, 100, 0.0466), (10, 100, 0.1637)])
def test_bounds_are_those_of_clopper_and_pearson(hits: int, tries: int, bound: float) -> None:
    assert upper(hits, tries) == pytest.approx(bound, abs=1e-4)
    assert upper(tries, tries) == 1.0


def test_rounds_are_kept_as_they_were_measured(tmp_path: Path) -> None:
    measured = _made_up(4)
    _rounds_file.write(tmp_path / "rounds", measured)
    assert _rounds_file.read(tmp_path / "rounds") == measured


def _use(monkeypatch: pytest.MonkeyPatch, measured: Measured, count: int) -> None:
    """In place of the rounds that are kept, with fewer experiments of them."""
    for module in (_by_itself, same, slower):
        monkeypatch.setattr(module, "rounds_to_use", lambda _rounds: measured)
    monkeypatch.setattr(_by_itself, "experiments", lambda rounds: experiments(rounds, count))
    _by_itself.ended.cache_clear()


def test_an_experiment_takes_consecutive_rounds_and_two_arms_of_each() -> None:
    measured = _made_up(12).rounds
    values = [[100.0 * number + arm for arm in range(ARMS)] for number in range(12)]
    for one in experiments(measured, 50):
        case, baseline = one.values(values, 5)
        numbers = [int(value // 100) for value in case.values()]
        assert numbers == [(numbers[0] + later) % 12 for later in range(5)]
        assert numbers == [int(value // 100) for value in baseline.values()]
        assert not set(case.values()) & set(baseline.values())


def test_the_noisier_the_rounds_are_the_more_of_them_are_taken() -> None:
    taken = []
    for spread in (0.005, 0.03, 0.06):
        measured = _made_up(200, spread).rounds
        (one,) = experiments(measured, 1)
        taken.append(rounds_taken(one, {"total": medians(measured, "total")}, 200))
    assert taken[0] == 10
    assert taken[0] < taken[1] < taken[2] < 200


def test_a_case_that_is_called_different_from_itself_too_often_breaks_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(monkeypatch, _made_up(40), 400)
    title, few, taken, by_itself = same.run(None)
    assert (title.holds, few.holds, taken.holds, by_itself.holds) == (None, True, None, True)
    monkeypatch.setattr(_resampling, "paired", _eager)
    _, few, _, by_itself = same.run(None)
    assert (few.holds, by_itself.holds) == (False, False)


def _eager(case: dict[int, float], baseline: dict[int, float]) -> object:
    from orchestrator.verdicts.comparison import paired

    return paired(case, baseline, alpha=0.2)


def test_a_phase_that_is_slower_is_found_wherever_the_rounds_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, _made_up(120, spread=0.03), 100)
    assert [row.holds for row in slower.run(None)] == [None, True]
    _use(monkeypatch, _made_up(20, spread=0.1), 100)
    assert [row.holds for row in slower.run(None)] == [None, False]


def test_parts_are_found_by_being_there_and_others_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"coverage", "same", "slower"} <= set(truth.PARTS)
    with pytest.raises(SystemExit):
        truth.main(["nothing"])
    assert "no such part: nothing" in capsys.readouterr().err


def test_a_limit_that_is_broken_is_an_exit_code_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(slower, "run", lambda _rounds: [Row("it", "3", "at most 2", holds=False)])
    assert truth.main(["slower"]) == 0
    assert "it    3       at most 2  DOES NOT HOLD" in capsys.readouterr().out
    assert truth.main(["slower", "--check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["rows"][0]["holds"] is False


@pytest.mark.parametrize("method", METHODS)
def test_every_rival_sees_a_large_difference_and_none_where_there_is_none(method: str) -> None:
    chance = np.random.default_rng(1)
    apart = np.diff(NOISES["normal"](chance, 20))[:, 0]
    assert METHODS[method](apart + 1, 0.01)
    assert not METHODS[method](apart - apart.mean(), 0.01)
