"""Adds a run's figures up again from the lines of its metrics file, with nothing of the report's own code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from tests.runs.programs import Line

PARTS_OF_TOTAL = (
    "queue_wait_ns",
    "worker_wait_ns",
    "other_ns",
    "results_wait_ns",
    "transit_ns",
    "redelivery_ns",
)
LEAST_TRANSIT_NS = -2_000_000
"""SQS stamps whole milliseconds, twice."""


def check_sums(lines: Iterable[Line]) -> None:
    """Every step's parts are its total, and every chain's steps are its wall, in whole nanoseconds."""
    lines = list(lines)
    chains: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line["kind"] in ("sample", "warmup"):
            _check_step(line)
            chains[line["chain"]].append(line)
    ended = [line for line in lines if line.get("event") == "chain_finished" and line["ok"]]
    assert ended
    for end in ended:
        _check_chain(sorted(chains[end["chain"]], key=lambda line: int(line["step"])), end["wall_ns"])


def _check_step(step: Line) -> None:
    total_ns = step["total_ns"]
    # A part that the run's channel does not have is null.
    parts = {part: step[part] for part in PARTS_OF_TOTAL if step[part] is not None}
    assert sum(step["phases_ns"].values()) + sum(parts.values()) == total_ns
    assert step["completed_at_ns"] - step["dispatched_at_ns"] == total_ns
    assert step["done_at_ns"] - step["begun_at_ns"] == sum(step["phases_ns"].values()) + step["other_ns"]
    assert parts.pop("transit_ns") >= LEAST_TRANSIT_NS
    assert parts.pop("redelivery_ns", 0) >= LEAST_TRANSIT_NS
    assert min([*parts.values(), *step["phases_ns"].values()]) >= 0


def _check_chain(steps: list[Line], wall_ns: int) -> None:
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert sum(step["turnaround_ns"] + step["retry_ns"] + step["total_ns"] for step in steps) == wall_ns
    first, last = steps[0], steps[-1]
    assert last["completed_at_ns"] - (first["dispatched_at_ns"] - first["retry_ns"]) == wall_ns
    for before, after in pairwise(steps):
        between_ns = after["dispatched_at_ns"] - before["completed_at_ns"]
        assert after["turnaround_ns"] + after["retry_ns"] == between_ns
        assert after["turnaround_ns"] >= 0
