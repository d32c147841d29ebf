"""The answer in words: what is fastest, by how much, and what cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.experiment.result import CaseResult
from orchestrator.report.units import duration
from orchestrator.verdicts import words

MOST_NAMED = 5


ONLY_WARM = "Only warm-up runs have ended so far, which are in no figure; compare --resume goes on."


def sentences(cases: Sequence[CaseResult], baseline: str, *, only_warm: bool = False) -> Iterator[str]:
    """`cases` are in the order of their ranks. `only_warm`: no run has ended but ones to warm up, and some well."""
    measured = [case for case in cases if case.step_ns.median is not None]
    if not measured:
        yield ONLY_WARM if only_warm else "No case has a figure: all of their runs failed, or none has ended."
        return
    choices = [case for case in measured if not case.is_floor]
    floors = [case for case in measured if case.is_floor]
    if choices:
        yield _fastest(choices, among="" if len(choices) == len(cases) else " that carries records")
    if floors:
        yield _floor(floors)
    base = next(case for case in cases if case.is_baseline)
    if base.step_ns.median is None:
        yield f"The baseline {baseline} has no figure, so nothing is compared with it."
        return
    yield from _beside_the_baseline(choices, base)


def _fastest(choices: Sequence[CaseResult], among: str) -> str:
    first = choices[0]
    if len(choices) == 1:
        return f"{first.name}: {_step(first)}. There is no other case{among} with figures to compare it with."
    tied = _tied(choices)
    if not tied:
        return f"Fastest{among} is {first.name}: {_step(first)}."
    if len(tied) < len(choices) - 1:
        return (
            f"Fastest{among} is {first.name} ({_step(first)}) or one that is not told apart from it: {_listed(tied)}."
        )
    lowest = f"the lowest median is that of {first.name}: {_step(first)}"
    # With the baseline alone there are fewer comparisons than of all with all, and so more is shown.
    if faster := [case for case in choices if _verdict(case) == "less"]:
        return f"Faster than the baseline: {_listed(faster)}. Which{among} is fastest is not shown; {lowest}."
    if slower := [case for case in choices if _verdict(case) == "more"]:
        return f"Slower than the baseline: {_listed(slower)}. Which{among} is fastest is not shown; {lowest}."
    return f"No case{among} is shown to be faster than another; {lowest}."


def _tied(choices: Sequence[CaseResult]) -> list[CaseResult]:
    """With the first one."""
    return [case for case in choices[1:] if case.rank.best == 1]


def _floor(floors: Sequence[CaseResult]) -> str:
    names = " and ".join(f"{case.name} ({_step(case)})" for case in floors)
    verbs = "hands bytes on and decodes" if len(floors) == 1 else "hand bytes on and decode"
    whose = "its" if len(floors) == 1 else "their"
    return f"{names} {verbs} nothing: a floor for objects of {whose} size, not a choice for records."


def _step(case: CaseResult) -> str:
    assert case.step_ns.median is not None
    return f"{duration(round(case.step_ns.median))} a step"


def _beside_the_baseline(choices: Sequence[CaseResult], base: CaseResult) -> Iterator[str]:
    others = [case for case in choices if not case.is_baseline and case.against_baseline is not None]
    if not others:
        return
    first = choices[0] if choices[0] is not base else others[0]
    if first.against_baseline is not None:
        yield f"{words.sentence(first.name, base.name, first.against_baseline)}."
    faster = [case for case in others if case is not first and _verdict(case) == "less"]
    same = [case for case in others if case is not first and _verdict(case) == "no difference seen"]
    slower = [case for case in others if case is not first and _verdict(case) == "more"]
    if faster and len(_tied(choices)) < len(choices) - 1:  # else that is told first
        yield f"Faster than {base.name}, too: {_listed(faster)}."
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
