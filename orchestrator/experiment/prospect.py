"""What is told before an experiment begins: how many runs, how long, how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from orchestrator.experiment.estimate import Estimate
from orchestrator.experiment.lines import ExperimentLine
from orchestrator.experiment.request import FEWEST_STABLE_ROUNDS, as_typed
from orchestrator.report import units
from orchestrator.report.doubts import plural
from orchestrator.verdicts import ENOUGH_ROUNDS
from stepbench.channels import traits
from stepbench.settings import variable_of

EMBEDDED = "No bucket is configured (ORCH_BUCKET): everything runs on this machine, on emulated S3 and SQS."
MOST_SKIPPED = 20
T = TypeVar("T")
CHANNEL = variable_of("channel")


def sentences(plan: ExperimentLine, expected: Estimate) -> Iterator[str]:
    if plan.settings.get("ORCH_BUCKET") is None:
        yield EMBEDDED
    for reason in plan.skipped[:MOST_SKIPPED]:
        yield f"{reason}."
    if len(plan.skipped) > MOST_SKIPPED:
        yield f"{len(plan.skipped) - MOST_SKIPPED} more are left out for such reasons."
    least = expected.of(1 + _fewest(plan))
    rounds = f"({_span(least.rounds - 1, plan.repeats, str)} round{'' if plan.repeats == 1 else 's'} + 1 to warm up)"
    runs = f"{_span(least.runs, expected.runs, str)} runs"
    yield f"{plural(len(plan.cases), 'case')} x {rounds} = {runs}; baseline is {plan.baseline}."
    low, high = least.within(plan.max_minutes), expected.within(plan.max_minutes)
    yield (
        f"About {_span(low.seconds, high.seconds, units.clock)} ({expected.how}), and "
        f"{_span(low.written_bytes, high.written_bytes, units.size)} written to S3{_limits(plan)}."
    )
    if plan.environment == "aws":
        yield _cost(plan, low, high)


def _fewest(plan: ExperimentLine) -> int:
    """Rounds, before any of its rules looks at them."""
    looks = [ENOUGH_ROUNDS] * (plan.to_see is not None) + [FEWEST_STABLE_ROUNDS] * (plan.until_stable is not None)
    return min([plan.repeats, *looks])


def _span(least: T, most: T, say: Callable[[T], str]) -> str:
    """`3 min to 2 h`; one of them where they are told alike."""
    low, high = say(least), say(most)
    return high if low == high else f"{low} to {high}"


def _cost(plan: ExperimentLine, least: Estimate, expected: Estimate) -> str:
    channels = {{**plan.settings, **case.settings}[CHANNEL] for case in plan.cases}
    services = "S3 and SQS" if any(traits(channel).queues for channel in channels) else "S3"
    fleet = ["the fleet"] if any(traits(channel).steps_queue for channel in channels) else []
    function = ["the Lambda function"] if any(traits(channel).function for channel in channels) else []
    who = " and ".join([*fleet, *function]) + (" cost" if fleet and function else " costs")
    if expected.usd is None or least.usd is None:
        more = f" {who[0].upper()}{who[1:]}, too." if fleet or function else ""
        return f"What {services} will cost is not known: there are no prices of this region.{more}"
    more = f", and what {who} in that time" if fleet or function else ""
    return f"About USD {_span(least.usd, expected.usd, lambda usd: f'{usd:.2f}')} for {services}{more}."


def _limits(plan: ExperimentLine) -> str:
    if _fewest(plan) == plan.repeats and plan.max_minutes is None:
        return ""
    seen = f"when a difference of {as_typed(plan.to_see)} would be seen" if plan.to_see else ""
    stable = f"when each median is known within {as_typed(plan.until_stable)}" if plan.until_stable else ""
    minutes = f"after {plan.max_minutes:g} minute{'' if plan.max_minutes == 1 else 's'}" if plan.max_minutes else ""
    ends = " or ".join(filter(None, (seen, stable, minutes)))
    return f"; earlier {ends}" if ends else ""
