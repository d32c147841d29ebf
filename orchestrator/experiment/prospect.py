"""What is told before an experiment begins: how many runs, how long, how much."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.experiment.estimate import Estimate
from orchestrator.experiment.lines import ExperimentLine
from orchestrator.report import units
from orchestrator.report.doubts import plural
from stepbench.channels import traits
from stepbench.settings import variable_of

EMBEDDED = "No bucket is configured (ORCH_BUCKET): everything runs on this machine, on emulated S3 and SQS."
MOST_SKIPPED = 20
CHANNEL = variable_of("channel")


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
        yield _cost(plan, expected)


def _cost(plan: ExperimentLine, expected: Estimate) -> str:
    channels = {{**plan.settings, **case.settings}[CHANNEL] for case in plan.cases}
    services = "S3 and SQS" if any(traits(channel).queues for channel in channels) else "S3"
    fleet = ["the fleet"] if any(traits(channel).steps_queue for channel in channels) else []
    function = ["the Lambda function"] if any(traits(channel).function for channel in channels) else []
    who = " and ".join([*fleet, *function]) + (" cost" if fleet and function else " costs")
    if expected.usd is None:
        more = f" {who[0].upper()}{who[1:]}, too." if fleet or function else ""
        return f"What {services} will cost is not known: there are no prices of this region.{more}"
    more = f", and what {who} in that time" if fleet or function else ""
    return f"About USD {expected.usd:.2f} for {services}{more}."


def _limits(plan: ExperimentLine) -> str:
    stable = f"when each median is known within {units.percent(plan.until_stable)}" if plan.until_stable else ""
    minutes = f"after {plan.max_minutes:g} minutes" if plan.max_minutes else ""
    ends = " or ".join(filter(None, (stable, minutes)))
    return f"; earlier {ends}" if ends else ""
