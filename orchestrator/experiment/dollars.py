"""What cases cost on AWS, by the model of `orchestrator.cost`: requests and storage, at its shipped prices."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from orchestrator.cost import prices
from orchestrator.cost.bill import Tariff
from orchestrator.cost.costs import Wanted, costs_of
from orchestrator.cost.usage import planned
from orchestrator.report.metrics_file import MetricsFile
from stepbench.channels import traits
from stepbench.errors import UsageError
from stepbench.settings import Settings

KEPT_DAYS = Decimal(1)
"""An experiment removes its payloads after each run; S3 bills what was there for a part of a day."""


def per_1000_steps(files: Sequence[MetricsFile]) -> float | None:
    """Of the runs of one case, counted from what they called; null where nothing is done, or there are no prices."""
    if not files:
        return None
    try:
        found = costs_of(files, prices.read(), Wanted()).per_1000_steps_usd
    except UsageError:
        return None
    return None if found is None else float(found)


def of_a_run(settings: Settings, steps: int, object_bytes: int) -> float | None:
    """What a run is expected to cost; null for a region without prices."""
    known = prices.read()
    region = known.regions.get(settings.region or known.first_region)
    if region is None:
        return None
    part_bytes = round(settings.s3_part_mb * 1e6)
    expected = planned(steps, object_bytes, part_bytes, traits(settings.channel))
    return float(Tariff(region, KEPT_DAYS, None, None).bill(expected).usd)
