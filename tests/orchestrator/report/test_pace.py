from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.pace import MARKS, Marks, Pace, Progress, pace


def at(elapsed_seconds: float, steps_done: int, **changes: Any) -> Progress:
    values: dict[str, Any] = {
        "chains_done": 0,
        "chains_failed": 0,
        "chains": 10,
        "steps_done": steps_done,
        "steps": 1000,
        "in_flight": 2,
        "failures": 0,
        "retries": 0,
        "duplicates": 0,
        "lost": 0,
        "last_error": None,
        "elapsed_seconds": elapsed_seconds,
        "worked_seconds": elapsed_seconds,
        "step_seconds": None,
    }
    return Progress(**(values | changes))


@pytest.mark.parametrize(
    ("progress", "worked_seconds", "expected"),
    [
        (at(10, 100), 10, Pace(10, 90)),
        (at(10, 100), 20, Pace(5, 180)),
        (at(100, 1000), 100, Pace(10, 0)),
        (at(0, 0), 0, Pace(None, None)),
        (at(5, 0), 5, Pace(None, None)),
    ],
)
def test_rate_and_time_left_follow_from_what_is_done(progress: Progress, worked_seconds: float, expected: Pace) -> None:
    assert pace(progress, worked_seconds) == expected


def test_a_fleet_that_started_from_zero_is_forgiven_its_start() -> None:
    marks = Marks()
    for second in range(700):
        marks.add(at(second, 0 if second < 300 else second - 300))
    found = marks.pace(at(700, 400), 700).steps_per_second
    assert found == pytest.approx(1, rel=0.05)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 5)), min_size=1, max_size=300))
def test_marks_stay_few_and_the_pace_never_negative(moves: list[tuple[float, int]]) -> None:
    marks, seconds, done = Marks(), 0.0, 0
    for gone_seconds, steps in moves:
        seconds, done = seconds + gone_seconds, done + steps
        marks.add(at(seconds, done))
        found = marks.pace(at(seconds, done), seconds)
        assert found.steps_per_second is None or found.steps_per_second > 0
        assert found.seconds_left is None or found.seconds_left >= 0
    assert len(marks) <= MARKS + 2
