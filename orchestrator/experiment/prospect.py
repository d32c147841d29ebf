"""What is told before an experiment begins: how many runs, how long, how much."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.experiment.estimate import Estimate
from orchestrator.experiment.lines import ExperimentLine
from orchestrator.report import units
from orchestrator.report.doubts import plural

EMBEDDED = "No bucket is configured (ORCH_BUCKET): everything runs on this machine, on emulated S3 and SQS."
MOST_SKIPPED = 20


def sentences(plan: ExperimentLine, expected: Estimate) -> Iterator[str]:
    if plan.settings.get("ORCH_BUCKET") is None:
        yield EMBEDDED
    for reason in plan.skipped[:MOST_SKIPPED]:
        yield f"{reason}."
    if len(plan.skipped) > MOST_SKIPPED:
        yield f"{len(plan.skipped) - MOST_SKIPPED} more are left out for such reasons."
    rounds = f"({plural(plan.repeats, 'round')} + 1 to warm up)"
    yield f"{plural(len(plan.cases), 'case')} x {rounds} = {plural(expected.runs, 'run')}; baseline is {plan.baseline}."
    yield (
        f"About {units.clock(expected.seconds)} ({expected.how}), and {units.size(expected.written_bytes)} written to "
        f"S3{_limits(plan)}."
    )
    if plan.environment == "aws":
        yield _cost(expected)


def _cost(expected: Estimate) -> str:
    if expected.usd is None:
        return "What S3 and SQS will cost is not known: there are no prices of this region. The fleet costs, too."
    return f"About USD {expected.usd:.2f} for S3 and SQS, and what the fleet costs in that time."


def _limits(plan: ExperimentLine) -> str:
    stable = f"when each median is known within {units.percent(plan.until_stable)}" if plan.until_stable else ""
    minutes = f"after {plan.max_minutes:g} minutes" if plan.max_minutes else ""
    ends = " or ".join(filter(None, (stable, minutes)))
    return f"; earlier {ends}" if ends else ""
