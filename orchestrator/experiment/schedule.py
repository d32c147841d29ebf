"""Which case runs next: a pure function of what the manifest holds, so that a resumed experiment goes on by itself.

First a warm-up round, which is in no figure: in it every executor meets every case's choices, loads what they need and
takes the memory they take, the emulators and the disk as well. Warm-up steps in each run would cost as many steps every
time and leave the first round on a machine that is still settling in. Then round after round, each with every case once
and in an order of its own, so that what drifts hits all cases alike, and none always follows the same other one.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.experiment.lines import WARM_UP_ROUND, ExperimentEvent, ExperimentLine, ManifestLine, RunEnd

FAILURES_IN_A_ROW = 2
"""After so many a case is left out of what follows: it would fail again, and others wait for it."""


@dataclass(frozen=True)
class Turn:
    """One run that is to be made."""

    round: int
    case: str


def order_of(plan: ExperimentLine, number: int) -> list[str]:
    """The names of all cases as they come in round `number`; the same for the same seed, anywhere."""
    names = [case.name for case in plan.cases]
    random.Random(f"{plan.seed} {number}").shuffle(names)
    return names


def turns(plan: ExperimentLine, lines: Sequence[ManifestLine]) -> list[Turn]:
    """What is left to run after `lines`, in order."""
    ends = [line for line in lines if isinstance(line, RunEnd)]
    measured = {(end.round, end.case) for end in ends if end.round != WARM_UP_ROUND}
    out = left_out(ends)
    left = [
        Turn(number, name)
        for number in range(1, plan.repeats + 1)
        for name in order_of(plan, number)
        if (number, name) not in measured and name not in out
    ]
    warm = {end.case for end in _since_begun(lines) if end.round == WARM_UP_ROUND}
    wanted = {turn.case for turn in left} - warm
    return [Turn(WARM_UP_ROUND, name) for name in order_of(plan, WARM_UP_ROUND) if name in wanted] + left


def left_out(ends: Iterable[RunEnd]) -> set[str]:
    """Cases whose last runs have all failed, FAILURES_IN_A_ROW of them."""
    in_a_row: dict[str, int] = {}
    for end in ends:
        in_a_row[end.case] = 0 if end.ok else in_a_row.get(end.case, 0) + 1
    return {case for case, failures in in_a_row.items() if failures >= FAILURES_IN_A_ROW}


def going_on(plan: ExperimentLine, ends: Iterable[RunEnd]) -> set[str]:
    """The cases that are not left out."""
    return {case.name for case in plan.cases} - left_out(ends)


def _since_begun(lines: Sequence[ManifestLine]) -> list[RunEnd]:
    """The runs since the experiment was last begun or gone on with: executors before that are gone."""
    since: list[RunEnd] = []
    for line in lines:
        if isinstance(line, ExperimentEvent) and line.event == "resumed":
            since = []
        elif isinstance(line, RunEnd):
            since.append(line)
    return since
