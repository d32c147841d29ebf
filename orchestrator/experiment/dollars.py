"""What cases cost on AWS, by the model of `orchestrator.cost`: requests and storage, at its shipped prices."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from orchestrator.cost import prices, usage
from orchestrator.cost.bill import Tariff
from orchestrator.cost.costs import Wanted, costs_of
from orchestrator.cost.usage import SQS_REQUESTS_OF_A_STEP, Quantity, Usage
from orchestrator.report.metrics_file import MetricsFile
from stepbench.channels import traits
from stepbench.errors import UsageError
from stepbench.settings import Settings

KEPT_DAYS = Decimal(1)
"""An experiment removes its payloads after each run; S3 bills what was there for a part of a day."""
CALLS_OF_A_RUN = 10
"""Looks at bucket and queues, the results queue, clean-up."""


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
    queued = traits(settings.channel).queues
    queue = Quantity(estimated=steps * SQS_REQUESTS_OF_A_STEP if queued else 0)
    expected = Usage(
        steps=steps,
        s3_puts=Quantity(estimated=(steps + 1) * usage.puts_of(object_bytes, part_bytes) + CALLS_OF_A_RUN),
        s3_gets=Quantity(estimated=steps * usage.gets_of(object_bytes, part_bytes)),
        worker_sqs=queue,
        orchestrator_sqs=Quantity(estimated=queue.estimated + (CALLS_OF_A_RUN if queued else 0)),
        downloaded_bytes=steps * object_bytes,
        uploaded_bytes=(steps + 1) * object_bytes,
        stored_bytes=(steps + 1) * object_bytes,
        executor_ns=0,
        executions=steps,
        workers=int(queued),
        executors_per_worker=None,
    )
    return float(Tariff(region, KEPT_DAYS, None, None).bill(expected).usd)
