"""What is known of each step before it is drawn: from its first dispatch to its completion, on the trace's clock.

A step whose sample is interrupted has no dispatch on this clock: it is as long as its known parts, to its completion.
One without a sample lies between the lines that tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.report.audit import parts_of_total
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run.lines import Event, Failure
from orchestrator.trace.clocks import Clock, numbered
from orchestrator.trace.model import Problem
from stepbench.samples import Sample


@dataclass(slots=True)
class Attempt:
    """One dispatch as its lines tell of it; null where none does."""

    dispatched_ns: int | None = None
    ended_ns: int | None = None
    problem: Problem | None = None
    lost: bool = False


@dataclass(slots=True)
class Step:
    chain: int
    number: int
    attempts: dict[int, Attempt] = field(default_factory=dict)
    sample: Sample | None = None
    turnaround_ns: int = 0
    begin_ns: int = 0
    """First dispatch."""
    dispatched_ns: int = 0
    """Of the accepted attempt."""
    end_ns: int = 0
    ended: bool = False

    def attempt(self, number: int | None) -> Attempt:
        return self.attempts.setdefault(number or 1, Attempt())

    @property
    def last_problem(self) -> Problem | None:
        problems = [attempt.problem for attempt in self.attempts.values()]
        return next((problem for problem in reversed(problems) if problem is not None), None)


@dataclass(slots=True)
class Chain:
    number: int
    steps: dict[int, Step] = field(default_factory=dict)
    ok: bool | None = None
    """Null: it has not ended, as far as the file tells."""
    ended_ns: int | None = None

    def step(self, number: int) -> Step:
        return self.steps.setdefault(number, Step(self.number, number))

    @property
    def last_problem(self) -> Problem | None:
        problems = [step.last_problem for step in self.steps.values()]
        return next((problem for problem in reversed(problems) if problem is not None), None)


def chains_of(file: MetricsFile, clock: Clock) -> list[Chain]:
    """Every chain that the file tells of, those of the warm-up first."""
    chains: dict[int, Chain] = {}
    places: dict[int, tuple[int, int]] = {}
    for incarnation, line in numbered(file.lines):
        number = getattr(line, "chain", None)
        if number is None:
            continue
        chain = chains.setdefault(number, Chain(number))
        match line:
            case Sample():
                step = chain.step(line.step)
                step.sample, step.ended = line, True
                places[id(step)] = _place(line, incarnation, clock)
            case Failure():
                failed = chain.step(line.step).attempt(line.attempt)
                failed.ended_ns = clock.of_line(line.at)
                failed.problem = Problem(line.error_class, line.message)
            case Event():
                _tell(chain, line, clock)
    for chain in chains.values():
        _lay_end_to_end(chain, places)
    return sorted(chains.values(), key=lambda chain: (chain.number > 0, abs(chain.number)))


def _tell(chain: Chain, event: Event, clock: Clock) -> None:
    at_ns = clock.of_line(event.at)
    match event.event:
        case "dispatching" if event.step is not None:
            chain.step(event.step).attempt(event.attempt).dispatched_ns = at_ns
            chain.ok = chain.ended_ns = None
        case "lost" if event.step is not None:
            attempt = chain.step(event.step).attempt(event.attempt)
            attempt.ended_ns, attempt.lost = at_ns, True
            attempt.problem = attempt.problem or Problem("StepLost", event.message or "given up as lost")
        case "chain_finished":
            chain.ok, chain.ended_ns = event.ok, at_ns


def _place(sample: Sample, incarnation: int, clock: Clock) -> tuple[int, int]:
    """Dispatch and completion."""
    completed_ns = clock.of_stamp(incarnation, sample.completed_at_ns)
    if sample.dispatched_at_ns is not None:
        return clock.of_stamp(incarnation, sample.dispatched_at_ns), completed_ns
    known_ns = sum(part or 0 for part in parts_of_total(sample).values())
    return completed_ns - max(0, known_ns), completed_ns


def _lay_end_to_end(chain: Chain, places: dict[int, tuple[int, int]]) -> None:
    """A chain's steps follow one another, whatever the times of day in between say."""
    free_from_ns = 0
    for step in sorted(chain.steps.values(), key=lambda step: step.number):
        if step.sample is not None:
            _of_sample(step, step.sample, *places[id(step)], free_from_ns)
        else:
            _of_lines(step, chain, free_from_ns)
        free_from_ns = step.end_ns


def _of_sample(step: Step, sample: Sample, dispatched_ns: int, completed_ns: int, free_from_ns: int) -> None:
    step.dispatched_ns = max(dispatched_ns, free_from_ns)
    step.end_ns = max(completed_ns, step.dispatched_ns)
    step.begin_ns = max(step.dispatched_ns - max(0, sample.retry_ns or 0), free_from_ns)
    step.turnaround_ns = min(max(0, sample.turnaround_ns or 0), step.begin_ns - free_from_ns)


def _of_lines(step: Step, chain: Chain, free_from_ns: int) -> None:
    told = list(_times(step.attempts.values()))
    step.begin_ns = max(min(told, default=free_from_ns), free_from_ns)
    last_ns = max([step.begin_ns, *told])
    step.ended = chain.ended_ns is not None
    step.end_ns = step.dispatched_ns = max(last_ns, chain.ended_ns or 0)


def _times(attempts: Iterable[Attempt]) -> Iterable[int]:
    for attempt in attempts:
        yield from (at_ns for at_ns in (attempt.dispatched_ns, attempt.ended_ns) if at_ns is not None)
