"""What each case needs more or less than the baseline: of a step's time, and of each part of it.

The cases are corrected for their number, in each quantity by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from orchestrator.report.units import percent
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
    detectable: float | None
    """The ratio that would have been seen; null where the rounds are too few to tell."""

    @property
    def words(self) -> str:
        """`8.1% would be seen in the upload of arrow`."""
        if self.detectable is None:
            return f"{self.case} has too few rounds in common with the baseline"
        return f"{percent(self.detectable - 1)} would be seen in the {self.quantity} of {self.case}"


def farthest(measured: Measured, baseline: str, share: float, waited_for: Collection[str]) -> Unseen | None:
    """What most rounds are needed for; null where all is seen."""
    return max(
        unseen(measured, baseline, share, waited_for), key=lambda each: each.detectable or float("inf"), default=None
    )


def unseen(measured: Measured, baseline: str, share: float, waited_for: Collection[str]) -> Iterator[Unseen]:
    """Where a difference of `share` would not be seen yet: in the step, and in each phase that is a good part of it.

    Of the cases that are waited for. The others are in the correction, as they are in that of the result.
    """
    yield from _unseen(STEP, of_step(measured, baseline), share, waited_for)
    for phase in _large_phases(measured[baseline]):
        found = _of(measured, baseline, partial(_positive, phase=phase))
        having = [case for case in waited_for if _is_usual(measured[case], phase)]
        yield from _unseen(phase, found, share, having)


def _unseen(quantity: str, by_case: ByCase, share: float, waited_for: Collection[str]) -> Iterator[Unseen]:
    for case, found in by_case.items():
        if case in waited_for and not enough.is_seen(found, share):
            yield Unseen(quantity, case, found.detectable)


def _large_phases(rounds: Mapping[int, Timed]) -> list[str]:
    """In most of the baseline's rounds."""
    return [
        phase
        for phase in PHASES
        if _most(run.parts_ns.get(phase, 0) >= LARGE_SHARE * run.step_ns for run in rounds.values())
    ]


def _is_usual(rounds: Mapping[int, Timed], phase: str) -> bool:
    """It takes time in most of them, as the decoding of `raw` does not: no number of rounds has a ratio of nothing."""
    return _most(_positive(run, phase) is not None for run in rounds.values())


def _positive(run: Timed, phase: str) -> float | None:
    """A round without it has no ratio, and is no reason to wait for none."""
    return run.parts_ns.get(phase) or None


def _most(flags: Iterable[bool]) -> bool:
    of = list(flags)
    return sum(of) > len(of) / 2


def _of(measured: Measured, baseline: str, number: Callable[[Timed], float | None]) -> ByCase:
    values = {
        case: {round_: value for round_, run in rounds.items() if (value := number(run)) is not None}
        for case, rounds in measured.items()
    }
    return corrected({case: paired(own, values[baseline]) for case, own in values.items() if case != baseline})
