from __future__ import annotations

import subprocess
import sys
from itertools import count

import pytest

from stepbench import timing
from stepbench.samples import PHASES, Phase
from stepbench.timing import PhaseTimer


@pytest.fixture(autouse=True)
def clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the wall clock finds it 10 ns further, each at the CPU clock 3 ns."""
    wall, cpu = count(1_000, 10), count(500, 3)
    monkeypatch.setattr(timing, "monotonic_ns", lambda: next(wall))
    monkeypatch.setattr(timing, "process_time_ns", lambda: next(cpu))


def test_a_phase_has_its_wall_and_its_cpu_time() -> None:
    timer = PhaseTimer()
    with timer("upload"):
        pass
    assert (timer.wall_ns["upload"], timer.cpu_ns["upload"]) == (10, 3)


def test_the_cpu_time_of_a_program_that_a_phase_ran_is_the_phases() -> None:
    timer = PhaseTimer()
    with timer("upload"):
        subprocess.run([sys.executable, "-c", "sum(range(2_000_000))"], check=True)
    assert timer.cpu_ns["upload"] > 5_000_000, "and not the 3 ns of this process"


def test_a_phase_that_is_entered_again_adds_up() -> None:
    timer = PhaseTimer()
    for _ in range(3):
        with timer("checksum"):
            pass
    assert (timer.wall_ns["checksum"], timer.cpu_ns["checksum"]) == (30, 9)


def test_every_phase_is_there_and_those_that_did_not_happen_took_nothing() -> None:
    timer = PhaseTimer()
    with timer("download"):
        pass
    assert tuple(timer.wall_ns) == tuple(timer.cpu_ns) == PHASES
    assert sum(timer.wall_ns.values()) == timer.wall_ns["download"]


def test_the_current_phase_is_the_one_under_way() -> None:
    timer = PhaseTimer()
    assert timer.current is None
    with timer("serialize"):
        assert timer.current == "serialize"
    assert timer.current is None


def test_an_error_leaves_the_current_phase_where_it_happened() -> None:
    timer = PhaseTimer()
    with pytest.raises(ValueError, match="broken"), timer("compress"):
        raise ValueError("broken")
    assert timer.current == "compress"


def test_somebody_outside_is_told_each_phase_before_its_clock_runs() -> None:
    told: list[Phase | None] = []
    timer = PhaseTimer(told.append)
    with timer("download"):
        assert told == ["download"]
    with timer("upload"):
        pass
    assert told == ["download", None, "upload", None]
