"""Adds up what a metrics file says, from its raw lines and with nothing of the program that wrote or reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.truth._runs import Line, Lines, samples

PARTS_BESIDE_PHASES = ("queue_wait", "worker_wait", "other", "results_wait", "transit", "redelivery")
BETWEEN_STEPS = ("turnaround", "retry")


@dataclass(frozen=True)
class Chain:
    """Its steps in order, and its wall as the run tells it."""

    steps: Lines
    wall_ns: int


def chains(lines: Lines) -> list[Chain]:
    ends = [line for line in lines if line["kind"] == "event" and line["event"] == "chain_finished" and line["ok"]]
    found = []
    for end in ends:
        steps = [sample for sample in samples(lines) if sample["chain"] == end["chain"]]
        found.append(Chain(sorted(steps, key=lambda sample: int(sample["step"])), end["wall_ns"]))
    return found


def apart_ns(chain: Chain) -> Iterator[int]:
    """What is missing in each sum of a chain: in its walls, in its steps' totals, and between its steps."""
    first, last = chain.steps[0], chain.steps[-1]
    by_stamps = last["completed_at_ns"] - (first["dispatched_at_ns"] - first["retry_ns"])
    yield by_stamps - chain.wall_ns
    yield sum(map(_all_parts_ns, chain.steps)) - chain.wall_ns
    for step in chain.steps:
        yield step["completed_at_ns"] - step["dispatched_at_ns"] - _total_ns(step)
        yield step["done_at_ns"] - step["begun_at_ns"] - sum(step["phases_ns"].values()) - step["other_ns"]
    for before, step in zip(chain.steps, chain.steps[1:], strict=False):
        between = sum(step[f"{part}_ns"] for part in BETWEEN_STEPS)
        yield step["dispatched_at_ns"] - before["completed_at_ns"] - between


def unattributed(sample: Line) -> float:
    """The share of a step's time of which nobody knows what it was for."""
    total_ns = int(sample["completed_at_ns"]) - int(sample["dispatched_at_ns"])
    return (int(sample["other_ns"]) + int(sample["transit_ns"])) / total_ns


def _total_ns(sample: Line) -> int:
    return sum(map(int, sample["phases_ns"].values())) + sum(int(sample[f"{part}_ns"]) for part in PARTS_BESIDE_PHASES)


def _all_parts_ns(sample: Line) -> int:
    return _total_ns(sample) + sum(int(sample[f"{part}_ns"]) for part in BETWEEN_STEPS)
