from __future__ import annotations

from pathlib import Path

import pytest

from stepbench.peak_memory import PROCESS, PeakMemory


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """A folder like the kernel's own for a process."""
    (tmp_path / "status").write_text("Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t   12 kB\nVmRSS:\t 7 kB\n")
    (tmp_path / "clear_refs").write_text("")
    return tmp_path


def test_the_peak_is_the_kernels_figure_in_bytes(process: Path) -> None:
    assert PeakMemory(process).so_far() == 12 * 1024


def test_a_later_look_sees_what_has_changed(process: Path) -> None:
    memory = PeakMemory(process)
    memory.so_far()

    (process / "status").write_text("VmHWM:\t   13 kB\n")

    assert memory.so_far() == 13 * 1024


def test_a_new_peak_is_asked_for_in_the_kernels_way(process: Path) -> None:
    PeakMemory(process).reset()
    assert (process / "clear_refs").read_text() == "5"


@pytest.mark.parametrize("missing", ["status", "clear_refs"])
def test_without_the_kernels_files_nothing_is_told_and_nothing_fails(missing: str, process: Path) -> None:
    (process / missing).unlink()
    memory = PeakMemory(process)

    memory.reset()

    assert memory.so_far() is None


def test_a_kernel_that_does_not_tell_peaks_gives_null(process: Path) -> None:
    (process / "status").write_text("Name:\tpython\n")
    assert PeakMemory(process).so_far() is None


@pytest.mark.skipif(not (PROCESS / "clear_refs").exists(), reason="only Linux tells a process's peak")
def test_what_was_used_before_a_reset_is_forgotten_and_what_comes_after_it_is_seen() -> None:
    memory, megabyte = PeakMemory(), 1_000_000
    held = bytearray(b"x" * (100 * megabyte))
    with_it = memory.so_far()
    del held

    memory.reset()
    without = memory.so_far()
    held = bytearray(b"x" * (100 * megabyte))
    again = memory.so_far()

    assert with_it is not None
    assert without is not None
    assert again is not None
    assert without < with_it - 50 * megabyte
    assert again > without + 50 * megabyte
    assert len(held) == 100 * megabyte
