"""The machine that a step is costed on: `c7g.large`, `fargate:VCPU:GB` or `lambda:MB`, the last two with `:arm64`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal

from orchestrator.cost.prices import Prices, Processor
from stepbench.errors import UsageError

FLAG = "--instance-type"
FORMS = "a type of EC2 such as c7g.large, fargate:VCPU:GB or lambda:MB, the last two with :arm64 if they are that"
_FARGATE = re.compile(r"fargate:(?P<vcpus>\d{1,2}(?:\.\d{1,2})?):(?P<gb>\d{1,3}(?:\.\d{1,2})?)(?::(?P<processor>\w+))?")
_LAMBDA = re.compile(r"lambda:(?P<mb>\d{3,5})(?::(?P<processor>\w+))?")
LARGE_VCPUS = 2
MB_PER_GB = 1024
"""AWS Lambda's memory is told in MiB and billed in GiB, whatever its pages call them."""
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    hour_usd: Decimal
    executors: int
    """Steps at once, where the run's own settings do not tell."""
    start_usd: Decimal = Decimal(0)
    """For each step, beside its time."""
    stays: bool = True
    """It waits for steps, and costs while it does."""


def machine(text: str, prices: Prices, region: str) -> Machine:
    """Raises UsageError for what is no machine, or has no price in `region`."""
    if (found := _FARGATE.fullmatch(text)) is not None:
        return _fargate(text, found, prices, region)
    if (found := _LAMBDA.fullmatch(text)) is not None:
        return _lambda(text, found, prices, region)
    if text.partition(":")[0] in ("fargate", "lambda"):
        raise UsageError(f"{FLAG} {text} is not {FORMS}")
    return _ec2(text, prices, region)


def _fargate(text: str, found: re.Match[str], prices: Prices, region: str) -> Machine:
    vcpus, gb = Decimal(found["vcpus"]), Decimal(found["gb"])
    if not vcpus or not gb:
        raise UsageError(f"{FLAG} {text} has no vCPU or no memory: it is {FORMS}")
    rates = getattr(prices.regions[region].fargate, _processor(text, found["processor"]))
    return Machine(text, vcpus * rates.vcpu_hour + gb * rates.gb_hour, max(1, int(vcpus)))


def _lambda(text: str, found: re.Match[str], prices: Prices, region: str) -> Machine:
    rates = prices.regions[region].lambda_
    second_usd = getattr(rates, f"{_processor(text, found['processor'])}_gb_second")
    hour_usd = Decimal(found["mb"]) / MB_PER_GB * second_usd * SECONDS_PER_HOUR
    return Machine(text, hour_usd, 1, start_usd=rates.requests_per_million / 1_000_000, stays=False)


def _processor(text: str, given: str | None) -> Processor:
    if given in (None, "x86_64"):
        return "x86_64"
    if given == "arm64":
        return "arm64"
    raise UsageError(f"{FLAG} {text}: {given} is neither x86_64 nor arm64")


def _ec2(text: str, prices: Prices, region: str) -> Machine:
    hours = prices.regions[region].ec2
    family, _, size = text.partition(".")
    if text in hours:
        return Machine(text, hours[text], prices.ec2_types[text].vcpus)
    if family in hours and family in prices.ec2_families and size in prices.ec2_sizes:
        vcpus = prices.ec2_sizes[size]
        return Machine(text, hours[family] * vcpus / LARGE_VCPUS, vcpus)
    known = [name for name in hours if "." in name] + [f"{one}.{two}" for one in hours for two in prices.ec2_sizes]
    near = difflib.get_close_matches(text, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f": it is {FORMS}"
    raise UsageError(f"{FLAG} {text} has no price in {region}{hint}")
