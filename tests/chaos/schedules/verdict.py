"""What a metrics file must tell when its run has ended, whatever happened to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from orchestrator.report.audit import audit
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import summarise
from orchestrator.run.lines import Event
from stepbench.samples import Sample
from tests.chaos.figures import PromiseBroken
from tests.chaos.schedules.witness import broken

SKIPPED = "but has samples of steps"
"""What the audit says of a chain that went on from a step which the copy of the metrics file did not have."""


def judge(file: MetricsFile, *, lagged: bool) -> None:
    """Raises PromiseBroken for the first thing that is wrong."""
    for error in (*_readable(file), *_counted_once(file), *_ended(file, lagged), *_sums(file, lagged)):
        raise error
    summarise([file])


def _readable(file: MetricsFile) -> Iterator[PromiseBroken]:
    if file.unknown_lines:
        yield broken(f"{file.unknown_lines} lines of the metrics file cannot be read by the version that wrote them")


def _counted_once(file: MetricsFile) -> Iterator[PromiseBroken]:
    counts = Counter((sample.chain, sample.step) for sample in _samples(file))
    for step, count in counts.items():
        if count > 1:
            yield PromiseBroken("samples counted twice", f"{step} has {count} samples")


def _ended(file: MetricsFile, lagged: bool) -> Iterator[PromiseBroken]:
    plan = file.run.plan
    steps = dict.fromkeys(range(1, plan.chains + 1), plan.steps)
    if plan.warmup_steps:
        steps |= dict.fromkeys(range(-plan.concurrency, 0), plan.warmup_steps)
    ends = _ends(file)
    for chain, planned in steps.items():
        done = sorted(sample.step for sample in _samples(file) if sample.chain == chain)
        if chain not in ends:
            yield PromiseBroken("samples lost", f"chain {chain} has no end")
        elif not lagged and done != list(range(1, 1 + (planned if ends[chain] else len(done)))):
            yield PromiseBroken("samples lost", f"chain {chain}, done: {ends[chain]}, has samples of steps {done}")
        elif not lagged and not ends[chain] and not _has_reason(file, chain):
            yield broken(f"chain {chain} failed with attempts left, and no failure for good")
    for unplanned in set(ends) - set(steps):
        yield broken(f"chain {unplanned} ended, and was never planned")


def _ends(file: MetricsFile) -> dict[int, bool]:
    """How each chain ended that was not begun again after it."""
    ends: dict[int, bool] = {}
    for line in file.lines:
        match line:
            case Event(event="chain_finished", chain=int(chain), ok=bool(ok)):
                ends[chain] = ok
            case Event(event="dispatching" | "reopened", chain=int(chain)):
                ends.pop(chain, None)
    return ends


def _has_reason(file: MetricsFile, chain: int) -> bool:
    """Why a chain may fail: some attempt failed for good, or as many were made of a step as may be."""
    for_good = any(failure.chain == chain and not failure.retryable for failure in file.failures)
    dispatches = [event for event in file.events if event.event == "dispatching" and event.chain == chain]
    made = Counter(step for step, _ in {(event.step, event.attempt) for event in dispatches})
    return for_good or max(made.values(), default=0) >= file.run.plan.max_attempts


def _sums(file: MetricsFile, lagged: bool) -> Iterator[PromiseBroken]:
    for problem in audit(file):
        if not (lagged and SKIPPED in problem):
            yield broken(problem)


def _samples(file: MetricsFile) -> tuple[Sample, ...]:
    return (*file.samples, *file.warmups)
