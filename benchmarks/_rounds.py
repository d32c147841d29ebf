"""Rounds of two arms, one after the other, each order as often as the other."""

from __future__ import annotations

from benchmarks._arms import Arm, Load, Run, empty_bucket
from benchmarks._report import progress
from orchestrator.local.stack import Stack


def alternate(stack: Stack, ours: Arm, theirs: Arm, load: Load, rounds: int) -> tuple[list[Run], list[Run]]:
    """Runs of both, paired by round; a short run of each before them is in no figure."""
    runs: dict[str, list[Run]] = {ours.name: [], theirs.name: []}
    for arm in (ours, theirs):
        arm.run(Load(load.chains, max(10, 40 // load.chains), load.payload_bytes))
    for number in range(rounds):
        for arm in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            runs[arm.name].append(arm.run(load))
            empty_bucket(stack)
        progress(f"round {number + 1} of {rounds}")
    return runs[ours.name], runs[theirs.name]
