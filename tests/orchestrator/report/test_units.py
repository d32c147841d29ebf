from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report import units

MS = 1_000_000


@pytest.mark.parametrize(
    ("duration_ns", "told"),
    [
        (0, "0.00 ms"),
        (-1, "0.00 ms"),
        (123_456, "0.12 ms"),
        (35 * MS, "35.0 ms"),
        (999 * MS, "999 ms"),
        (999_500_000, "1.00 s"),
        (999_499_999, "999 ms"),
        (7_316 * MS, "7.32 s"),
        (119_000 * MS, "119 s"),
        (245_000 * MS, "4 min 05 s"),
        (11_220_000 * MS, "3 h 07 min"),
        (-1_500_000, "-1.50 ms"),
    ],
)
def test_durations(duration_ns: int, told: str) -> None:
    assert units.duration(duration_ns) == told


@pytest.mark.parametrize(
    ("count_bytes", "told"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (999, "999 B"),
        (1_000, "1.00 kB"),
        (10_000, "10.0 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (999_999_999, "1.00 GB"),
        (49_987_654, "50.0 MB"),
        (123_456_789, "123 MB"),
        (1_250_000_000, "1.25 GB"),
    ],
)
def test_sizes(count_bytes: int, told: str) -> None:
    assert units.size(count_bytes) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "0.00"), (3.314, "3.31"), (85.25, "85.2"), (1234.4, "1234"), (9.996, "10.0")]
)
def test_rates(value: float, told: str) -> None:
    assert units.rate(value) == told


@pytest.mark.parametrize(
    ("typical_ns", "duration_ns", "told"),
    [
        (50 * MS, 1_234_567, "1.23 ms"),
        (500 * MS, 1_234_567, "1.2 ms"),
        (99_000 * MS, 99_000 * MS, "99000.0 ms"),
        (100_000 * MS, 1_234_567_890, "1.235 s"),
        (30 * MS, 3_600_000 * MS, "3600000.00 ms"),
        (500 * MS, -10_000, "0.0 ms"),
    ],
)
def test_a_table_has_one_scale(typical_ns: int, duration_ns: int, told: str) -> None:
    scale = units.scale_of(typical_ns)
    assert f"{scale.show(duration_ns)} {scale.unit}" == told


def test_elapsed_times() -> None:
    assert [units.clock(seconds) for seconds in (0, 59.4, 59.6, 3599, 3661)] == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 01 min",
    ]


@given(st.text())
def test_one_line_holds_nothing_that_a_terminal_acts_upon(text: str) -> None:
    told = units.one_line(text)
    assert told.isprintable()
    assert units.one_line(told) == told


def test_a_long_text_ends_early() -> None:
    assert units.shortened("a\nb", 10) == "a b"
    assert units.shortened("abcdefghijkl", 10) == "abcdefg..."
