"""What the figures say, in words: the first thing on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from orchestrator.page.cases import CaseFigures
from orchestrator.page.charts._look import part_label
from orchestrator.page.material import Material
from orchestrator.page.shares import CODEC, ORCHESTRATION, S3_PARTS, CaseParts, parts_by_case
from orchestrator.page.shown import ABSENT, milliseconds, percent, rate, size, usd
from orchestrator.report.doubts import plural
from orchestrator.report.percentiles import percentile
from orchestrator.report.statistics import LABELS, MIXED_LABEL, summarise
from orchestrator.report.summary import Counts
from orchestrator.run.plan import Plan

NOT_SIDE_BY_SIDE = (
    "These runs were not measured side by side, so nothing here says how sure a difference is: "
    "python -m orchestrator compare runs cases in randomised rounds and does."
)
LEAD = 2
"""The headline and so many sentences less one stand above the picture."""
MOST_NAMED = 4
STEP = "A step downloads an object from S3, decodes it, works on its records, encodes them and uploads the result"
Number = Callable[[CaseFigures], float | None]
EQUAL_SIZES = 0.01
EQUAL_DOLLARS = 0.05
"""Shares up to which the page names no winner: of dollars, what runs call by chance, or what an S3 client cannot tell
and is estimated, decides about less than that."""
BYTES: Number = attrgetter("bytes_out")
DOLLARS: Number = attrgetter("usd_per_1000_steps")
ALL_EQUAL = "all about equal"
HANDED_OUT = {
    "queue": "a queue (SQS) hands the steps out to workers",
    "function": "a Lambda function is invoked with each step",
    "executors": "the orchestrator hands the steps to executors of its own, without a queue",
}
"""By who does the steps."""


@dataclass(frozen=True)
class Fact:
    """A figure that stands out."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Answer:
    title: str
    about: str
    """What was measured, for who does not know the tool."""
    headline: str
    lead: tuple[str, ...]
    """What belongs to the headline."""
    sentences: tuple[str, ...]
    facts: tuple[Fact, ...]
    label: str
    """What the figures describe: this machine, or AWS."""
    doubts: tuple[str, ...]
    has_figures: bool


def answer_of(material: Material, cases: Sequence[CaseFigures]) -> Answer:
    """Of one case or of many; of none that was measured it says so."""
    measured = [case for case in cases if case.step_ns is not None]
    choices = [case for case in measured if not case.is_floor] or measured
    parts = parts_by_case(material, [case.name for case in measured])
    told = list(_told(material, measured))
    return Answer(
        title=_title(material, cases),
        about=_about(material, cases),
        headline=told[0],
        lead=tuple(told[1:LEAD]),
        sentences=(*told[LEAD:], *_about_parts(parts), *_about_trade(choices)),
        facts=tuple(_facts(measured, choices, parts)),
        label=label_of(material),
        doubts=tuple(_doubts(material)),
        has_figures=bool(measured),
    )


def _about(material: Material, cases: Sequence[CaseFigures]) -> str:
    """What a step is, and what the cases differ in."""
    result, step = material.result, _step(material)
    if result is None:
        return step
    names = dict.fromkeys(name.lower().replace("_", " ") for case in result.cases for name in case.settings)
    differ = f" that differ in {' and '.join(names)}" if 0 < len(names) <= MOST_NAMED else ""
    many = plural(len(cases), "case")
    return f"{step} Here: {many}{differ}; the others are held against the baseline, {result.baseline}."


def _step(material: Material) -> str:
    """What a step is, by the channels of the runs; by the usual one where there is no run."""
    ways = {_way(file.run.plan) for file in material.files} or {"queue"}
    return f"{STEP}; {', or '.join(words for way, words in HANDED_OUT.items() if way in ways)}."


def _way(plan: Plan) -> str:
    if plan.lambda_function is not None:
        return "function"
    return "executors" if plan.steps_queue_url is None else "queue"


def label_of(material: Material) -> str:
    if material.result is not None:
        return material.result.label
    environments = {file.run.environment for file in material.files}
    return LABELS[environments.pop()] if len(environments) == 1 else MIXED_LABEL


def _title(material: Material, cases: Sequence[CaseFigures]) -> str:
    if len(cases) > 1:
        return f"{len(cases)} cases compared"
    return f"One case: {cases[0].name}" if cases else f"{plural(len(material.runs), 'run')}"


def _told(material: Material, measured: Sequence[CaseFigures]) -> Iterator[str]:
    if material.result is not None:
        yield from material.result.answer
        yield from _about_rounds(material)
    elif not measured:
        yield _nothing(material)
    elif len(measured) == 1:
        yield _alone(material, measured[0])
    else:
        first, last = measured[0], measured[-1]
        yield (
            f"The lowest median is that of {first.name}: {milliseconds(first.step_ns)} a step; the highest that of "
            f"{last.name}: {milliseconds(last.step_ns)}."
        )
        yield NOT_SIDE_BY_SIDE


def _about_rounds(material: Material) -> Iterator[str]:
    result = material.result
    if result is None:
        return
    planned = f"{'at most ' if result.may_end_early else ''}{plural(result.repeats, 'round')}"
    state = "" if result.finished else " The experiment has not finished: these are the figures so far."
    why = f" It ended there: {result.ended_by}." if result.ended_by else ""
    if not result.rounds:
        yield f"Not every case has been measured yet; {planned} are planned.{why}{state}"
        return
    measured = f"{result.rounds} of {planned}" if result.rounds < result.repeats else plural(result.rounds, "round")
    yield (
        f"Measured in {measured}, each with every case once in a random order, so that what befell the machine befell "
        f"all alike.{why}{state}"
    )


def _nothing(material: Material) -> str:
    failures = sum(len(file.failures) for file in material.files)
    if failures:
        return f"No step was done: {plural(failures, 'attempt')} failed. What happened stands below."
    if any(file.samples for file in material.files):
        return "No step is in the statistics: all were interrupted or came late. What is known stands below."
    return "No step has been done yet, so there is nothing to tell but what was planned."


def _alone(material: Material, case: CaseFigures) -> str:
    values = sorted(sample.total_ns or 0 for sample in material.used(case.name))
    if len(values) == 1:
        return f"A step took {milliseconds(values[0])}; a single one, so nothing says how typical that is."
    return (
        f"A step takes {milliseconds(percentile(values, 0.5))}: the median of {len(values):,}, of which 95 in 100 are "
        f"done within {milliseconds(percentile(values, 0.95))}."
    )


def _about_parts(parts: Sequence[CaseParts]) -> Iterator[str]:
    """Of the first case: families first, then the largest part."""
    if not parts:
        return
    first = parts[0]
    largest = max(first.mean_ns, key=lambda name: first.mean_ns[name])
    yield (
        f"In {first.name}, S3 is {percent(first.share(*S3_PARTS))} of a step, the codec and the work on the records "
        f"{percent(first.share(*CODEC))}, and orchestration ({'queues, ' * first.has_queues}waiting, turnaround) "
        f"{percent(first.share(*ORCHESTRATION))}. The largest single part is {part_label(largest)}, "
        f"{milliseconds(first.mean_ns[largest])}."
    )


def _about_trade(measured: Sequence[CaseFigures]) -> Iterator[str]:
    """Where the fastest is not the smallest, what the smallest costs in time, as far as that is shown."""
    sized = [case for case in measured if case.bytes_out is not None]
    if len(sized) < 2:
        return
    first, smallest = sized[0], min(sized, key=lambda case: case.bytes_out or 0)
    if smallest is first or first.name in _about_equal(sized, BYTES, EQUAL_SIZES):
        return
    longer_ns = (smallest.step_ns or 0) - (first.step_ns or 0)
    if first.rank_best is None:
        price = (
            f"with a median of {milliseconds(smallest.step_ns)} a step in place of {milliseconds(first.step_ns)}; "
            "nothing says how sure that difference is"
        )
    elif smallest.name in first.not_told_apart:
        price = f"and no difference to {first.name} in time is shown"
    else:
        price = f"for {milliseconds(longer_ns)} more a step"
    yield (
        f"The smallest objects are those of {smallest.name}: {size(smallest.bytes_out)} in place of "
        f"{size(first.bytes_out)}, {price}."
    )


def _about_equal(cases: Sequence[CaseFigures], number: Number, within: float) -> list[str]:
    """Names of the cases whose number is the least, or more than it by no more than `within` of it."""
    least = min(number(case) or 0 for case in cases)
    return [case.name for case in cases if (number(case) or 0) <= least * (1 + within)]


def _whose(cases: Sequence[CaseFigures], number: Number, within: float) -> str:
    """Who has the least of it; empty for the only case."""
    least = _about_equal(cases, number, within)
    if len(cases) == 1:
        return ""
    if len(least) == len(cases):
        return ALL_EQUAL
    return least[0] if len(least) == 1 else f"{least[0]} and {len(least) - 1} more, about equal"


def _facts(
    measured: Sequence[CaseFigures], choices: Sequence[CaseFigures], parts: Sequence[CaseParts]
) -> Iterator[Fact]:
    if not measured:
        return
    first = choices[0]
    yield _fastest(first, many=len(choices) > 1)
    if sized := [case for case in choices if case.bytes_out is not None]:
        whose = _whose(sized, BYTES, EQUAL_SIZES)
        label = "Object on S3" if whose in ("", ALL_EQUAL) else "Smallest object"
        yield Fact(label, size(min(case.bytes_out or 0 for case in sized)), whose)
    if parts:
        yield Fact("Orchestration", percent(parts[0].share(*ORCHESTRATION)), f"of a step of {parts[0].name}")
    if priced := [case for case in choices if case.usd_per_1000_steps is not None]:
        whose = _whose(priced, DOLLARS, EQUAL_DOLLARS)
        label = "Cost" if whose in ("", ALL_EQUAL) else "Cheapest"
        least = min(case.usd_per_1000_steps or 0 for case in priced)
        yield Fact(label, usd(least), ", ".join(filter(None, ("S3 and SQS for 1,000 steps", whose))))
    yield Fact("Steps measured", f"{sum(case.samples for case in measured):,}", _rate(first))


def _fastest(first: CaseFigures, *, many: bool) -> Fact:
    """Of those that rounds held against each other, a winner only where there is one."""
    if not many:
        return Fact("Median of a step", milliseconds(first.step_ns))
    if first.rank_worst == 1:
        return Fact("Fastest", milliseconds(first.step_ns), first.name)
    shown = "" if first.rank_best is None else ", not shown to be faster than all others"
    return Fact("Lowest median", milliseconds(first.step_ns), f"{first.name}{shown}")


def _rate(case: CaseFigures) -> str:
    told = rate(case.steps_per_second)
    return "" if told == ABSENT else f"{told} a second, {case.name}"


def _doubts(material: Material) -> Iterator[str]:
    if material.result is not None:
        yield from material.result.warnings
        return
    yield from (f"{problem[0].upper()}{problem[1:]}" for problem in material.problems)
    if material.files:
        summary = summarise(material.files)
        if not summary.finished:
            yield "Not all runs have finished: these are the figures so far."
        yield from _about_failures(summary.counts)
        # That cases differ is what a comparison is about.
        many = len(material.case_names) > 1
        yield from (sentence for sentence in summary.warnings if not (many and "over all of them together" in sentence))


def _about_failures(counts: Counts) -> Iterator[str]:
    if counts.chains_failed:
        yield (
            f"{counts.chains_failed} of {plural(counts.chains, 'chain')} failed, and what they would have taken is in "
            "no figure: if they failed when they were slow, the case looks faster than it is."
        )
    if counts.failures:
        yield f"{plural(counts.failures, 'attempt')} failed; look at the failures below."
