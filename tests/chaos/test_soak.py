"""Seconds of what `python -m tests.chaos soak --seconds N` does for as long as one likes."""

from __future__ import annotations

import re

import pytest

from tests.chaos import __main__ as program
from tests.chaos.figures import Figures
from tests.chaos.processes import breaches
from tests.chaos.soak import part
from tests.chaos.soak.trend import trend
from tests.processes import PROC

SLOPE = re.compile(r"(\w+), (memory, MB|open files): .* slope ([+-]\d+\.\d+) ± (\d+\.\d+) per hour")


@pytest.mark.skipif(not PROC.exists(), reason="what a process has open is read from /proc")
def test_what_a_worker_leaks_is_told_and_nothing_else_grows() -> None:
    leaking = f"{breaches.__name__}:{breaches.leaking_a_file_a_step.__name__}"

    figures = part.run(8, seed=1, SABOTAGE_BREACH=leaking)

    assert not figures.failures, "\n".join(figures.failures)
    assert figures.tried["samples"] > 0
    assert set(figures.tried) - {"seconds", "samples", "chains", "failed attempts"}, "there was no trouble"
    found = [match.groups() for note in figures.notes if (match := SLOPE.fullmatch(note))]
    slopes = {(name, what): float(slope) for name, what, slope, _ in found}
    errors = {(name, what): float(error) for name, what, _, error in found}
    assert {name for name, _ in slopes} == {"worker", "executor", "orchestrator"}
    leak = ("worker", "open files")
    assert slopes[leak] > 3 * errors[leak] > 0
    assert abs(slopes["orchestrator", "open files"]) < slopes[leak] / 10


def test_a_slope_is_that_of_the_line_through_what_was_read_after_the_warm_up() -> None:
    warm_up = [(float(at), 1_000.0) for at in range(25)]
    found = trend([*warm_up, *((float(at), 5 + 2 * at / 3_600) for at in range(25, 101))])
    assert found.per_hour == pytest.approx(2)
    assert found.error_per_hour == pytest.approx(0, abs=1e-9)
    assert found.least == pytest.approx(5 + 50 / 3_600)
    assert found.most == found.last


def test_the_spread_of_what_was_read_is_told_with_its_slope() -> None:
    quiet, loud = (trend([(float(at), size * (at % 2)) for at in range(100)]) for size in (1.0, 100.0))
    assert loud.error_per_hour == pytest.approx(100 * quiet.error_per_hour)
    assert abs(loud.per_hour) < 2 * loud.error_per_hour


def test_few_readings_have_no_slope() -> None:
    with pytest.raises(ValueError, match="2 readings"):
        trend([(0.0, 1.0), (5.0, 1.0), (10.0, 1.0)])


def test_a_part_that_goes_by_the_clock_is_told_its_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[int, int]] = []

    def run(seconds: int, seed: int) -> Figures:
        asked.append((seconds, seed))
        return Figures()

    monkeypatch.setattr(part, "run", run)
    assert program.main(["soak", "--seconds", "1800", "--seed", "7"]) == 0
    assert asked == [(1800, 7)]
    assert capsys.readouterr().out.startswith("soak, seed 7\n")
