"""The answer in words: what is fastest, by how much, and what cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.experiment.result import CaseResult
from orchestrator.report.units import duration
from orchestrator.verdicts import words

MOST_NAMED = 5


def sentences(cases: Sequence[CaseResult], baseline: str) -> Iterator[str]:
    """`cases` are in the order of their ranks."""
    measured = [case for case in cases if case.step_ns.median is not None]
    if not measured:
        yield "No case has a figure: all of their runs failed, or none has ended."
        return
    yield _fastest(measured)
    base = next(case for case in cases if case.is_baseline)
    if base.step_ns.median is None:
        yield f"The baseline {baseline} has no figure, so nothing is compared with it."
        return
    yield from _beside_the_baseline(measured, base)


def _fastest(measured: Sequence[CaseResult]) -> str:
    first = measured[0]
    if len(measured) == 1:
        return f"{first.name}: {_step(first)}. There is no other case with figures to compare it with."
    tied = [case for case in measured if case.rank.best == 1 and case is not first]
    if not tied:
        return f"Fastest is {first.name}: {_step(first)}."
    if len(tied) == len(measured) - 1:
        return f"No case is shown to be faster than another; the lowest median is that of {first.name}: {_step(first)}."
    return f"Fastest is {first.name} ({_step(first)}) or one that is not told apart from it: {_listed(tied)}."


def _step(case: CaseResult) -> str:
    assert case.step_ns.median is not None
    return f"{duration(round(case.step_ns.median))} a step"


def _beside_the_baseline(measured: Sequence[CaseResult], base: CaseResult) -> Iterator[str]:
    others = [case for case in measured if not case.is_baseline and case.against_baseline is not None]
    if not others:
        return
    first = measured[0] if measured[0] is not base else others[0]
    if first.against_baseline is not None:
        yield f"{words.sentence(first.name, base.name, first.against_baseline)}."
    same = [case for case in others if case is not first and _verdict(case) == "no difference seen"]
    slower = [case for case in others if case is not first and _verdict(case) == "more"]
    if same:
        yield f"No difference to {base.name} is seen in {_listed(same)}."
    if slower:
        yield f"Slower than {base.name}: {_listed(slower)}."


def _verdict(case: CaseResult) -> str | None:
    return case.against_baseline.verdict if case.against_baseline else None


def _listed(cases: Sequence[CaseResult]) -> str:
    names = [case.name for case in cases[:MOST_NAMED]]
    more = len(cases) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
