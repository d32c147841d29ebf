"""What each case needs more or less than the baseline: of a step's time, and of each part of it.

The cases are corrected for their number, in each quantity by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.verdicts import enough
from orchestrator.verdicts.comparison import Comparison, paired
from orchestrator.verdicts.correction import corrected
from stepbench.samples import PHASES

STEP = "step"


class Timed(Protocol):
    """What is looked at of a run: medians over its steps, as RunFigures has them."""

    @property
    def step_ns(self) -> float: ...

    @property
    def parts_ns(self) -> Mapping[str, float]: ...


Measured = Mapping[str, Mapping[int, Timed]]
"""By case and round."""
ByCase = dict[str, Comparison]
LARGE_SHARE = 0.1
"""Of the baseline's step: phases that take as much are worth to be waited for."""


def of_step(measured: Measured, baseline: str) -> ByCase:
    """By case, without the baseline."""
    return _of(measured, baseline, lambda run: run.step_ns)


def of_part(measured: Measured, baseline: str, part: str) -> ByCase:
    """By case, without the baseline; `part` is one of `report.summary.PARTS`."""
    return _of(measured, baseline, lambda run: run.parts_ns.get(part))


@dataclass(frozen=True)
class Unseen:
    """There are too few rounds for it."""

    quantity: str
    """STEP or a phase."""
    case: str
    detectable: float
    """The ratio that would have been seen."""


def unseen(measured: Measured, baseline: str, share: float) -> Iterator[Unseen]:
    """Where a difference of `share` would not be seen yet: in the step, and in each phase that is a good part of it."""
    yield from _unseen(STEP, of_step(measured, baseline), share)
    for phase in _large_phases(measured[baseline]):
        yield from _unseen(phase, of_part(measured, baseline, phase), share)


def _unseen(quantity: str, by_case: ByCase, share: float) -> Iterator[Unseen]:
    for case, found in by_case.items():
        if found.detectable is not None and not enough.is_seen(found, share):
            yield Unseen(quantity, case, found.detectable)


def _large_phases(rounds: Mapping[int, Timed]) -> list[str]:
    """In most of the baseline's rounds."""
    return [
        phase
        for phase in PHASES
        if sum(run.parts_ns.get(phase, 0) >= LARGE_SHARE * run.step_ns for run in rounds.values()) > len(rounds) / 2
    ]


def _of(measured: Measured, baseline: str, number: Callable[[Timed], float | None]) -> ByCase:
    values = {
        case: {round_: value for round_, run in rounds.items() if (value := number(run)) is not None}
        for case, rounds in measured.items()
    }
    return corrected({case: paired(own, values[baseline]) for case, own in values.items() if case != baseline})
