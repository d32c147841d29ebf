from __future__ import annotations

from typing import Any

import pytest

from benchmarks.truth import completeness
from benchmarks.truth._adding import BETWEEN_STEPS, PARTS_BESIDE_PHASES

PHASES_NS = {"download": 40, "upload": 50}


def _sample(step: int, dispatched_at_ns: int, turnaround_ns: int) -> dict[str, Any]:
    """Parts of 1 ns each beside 90 ns of phases."""
    others = {f"{part}_ns": 1 for part in PARTS_BESIDE_PHASES}
    total_ns = sum(PHASES_NS.values()) + len(others)
    return {
        "kind": "sample",
        "chain": 1,
        "step": step,
        "phases_ns": dict(PHASES_NS),
        **others,
        "turnaround_ns": turnaround_ns,
        "retry_ns": 0,
        "begun_at_ns": 7_000,
        "done_at_ns": 7_000 + sum(PHASES_NS.values()) + 1,
        "dispatched_at_ns": dispatched_at_ns,
        "completed_at_ns": dispatched_at_ns + total_ns,
    }


def _lines() -> list[dict[str, Any]]:
    first = _sample(1, 1_000, 0)
    second = _sample(2, first["completed_at_ns"] + 30, 30)
    wall_ns = second["completed_at_ns"] - 1_000
    return [first, second, {"kind": "event", "event": "chain_finished", "chain": 1, "ok": True, "wall_ns": wall_ns}]


def _holds(lines: list[dict[str, Any]], steps: int = 2) -> bool | None:
    return completeness.sums("made up", lines, steps).holds


def test_parts_that_add_up_hold() -> None:
    row = completeness.sums("made up", _lines(), 2)
    assert row.holds
    assert row.figure == "at most 0 ns apart; chains: 1, steps: 2, sums: 7"


@pytest.mark.parametrize("part", [*PARTS_BESIDE_PHASES, *BETWEEN_STEPS])
def test_a_nanosecond_that_is_missing_from_any_part_is_found(part: str) -> None:
    lines = _lines()
    lines[1][f"{part}_ns"] -= 1
    assert not _holds(lines)


def test_a_nanosecond_that_is_missing_from_a_phase_or_a_stamp_is_found() -> None:
    lines = _lines()
    lines[0]["phases_ns"]["upload"] -= 1
    assert not _holds(lines)
    for stamp in ("dispatched_at_ns", "completed_at_ns", "begun_at_ns"):
        lines = _lines()
        lines[1][stamp] += 1
        assert not _holds(lines)


def test_a_chain_that_is_not_done_is_missed() -> None:
    assert not _holds(_lines(), steps=4)


def test_a_step_of_which_more_than_a_tenth_belongs_to_nothing_is_told() -> None:
    lines = _lines()
    assert completeness.unattributed_row(lines).holds
    lines[1]["transit_ns"] = 9
    assert not completeness.unattributed_row(lines).holds


def test_a_run_without_a_chain_that_is_done_proves_nothing() -> None:
    assert not _holds(_lines()[:2])
