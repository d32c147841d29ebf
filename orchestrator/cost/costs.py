"""What runs cost, with everything that is assumed: the object that `cost --json` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from orchestrator.cost.bill import BYTES_PER_GB, HOURS_PER_MONTH, LONG_POLL_SECONDS, Bill, Tariff
from orchestrator.cost.machines import Machine, machine
from orchestrator.cost.prices import Prices
from orchestrator.cost.usage import Usage, usage_of
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import is_finished
from stepbench.errors import UsageError
from stepbench.samples import Frozen

KEEP_DAYS = Decimal(7)
"""As infra/ expires payloads."""


class Wanted(Frozen):
    """What a person asked for beside the runs."""

    region: str | None = None
    instance_type: str | None = None
    steps_per_hour: Decimal | None = None
    keep_days: Decimal = KEEP_DAYS


class Costs(Frozen):
    """All dollars are texts of exact decimals in JSON."""

    run_ids: tuple[str, ...]
    environments: tuple[str, ...]
    region: str
    as_of: str
    checked: tuple[str, ...]
    """Sections of the prices that were compared with AWS's."""
    usage: Usage
    runs: Bill
    runs_usd: Decimal
    per_1000_steps_usd: Decimal | None
    """Null where no step is done."""
    month: Bill | None
    month_usd: Decimal | None
    """Null where no rate was asked for."""
    idle_workers: int
    """0 where the runs' channel has no workers that could wait."""
    idle_month: Bill
    idle_month_usd: Decimal
    aside: Bill
    """Of the runs, on other ways between S3 and the workers; in no sum."""
    assumptions: tuple[str, ...]


def costs_of(files: Sequence[MetricsFile], prices: Prices, wanted: Wanted) -> Costs:
    """Of `files` together. Raises UsageError for a region or a machine that has no price."""
    region = _region(files, prices, wanted)
    built = None if wanted.instance_type is None else machine(wanted.instance_type, prices, region)
    usage = usage_of(files)
    tariff = Tariff(prices.regions[region], wanted.keep_days, built, usage.executors_per_worker)
    runs = tariff.bill(usage)
    month = _month(tariff, usage, wanted.steps_per_hour)
    workers = _idle_workers(files, usage)
    idle = tariff.idle_month(workers)
    return Costs(
        run_ids=tuple(file.run.run_id for file in files),
        environments=tuple(dict.fromkeys(file.run.environment for file in files)),
        region=region,
        as_of=prices.as_of.isoformat(),
        checked=prices.regions[region].checked,
        usage=usage,
        runs=runs,
        runs_usd=runs.usd,
        per_1000_steps_usd=runs.usd * 1000 / usage.steps if usage.steps else None,
        month=month,
        month_usd=None if month is None else month.usd,
        idle_workers=workers,
        idle_month=idle,
        idle_month_usd=idle.usd,
        aside=tariff.aside(usage),
        assumptions=tuple(_assumptions(files, prices, wanted, region, usage, tariff)),
    )


def _idle_workers(files: Sequence[MetricsFile], usage: Usage) -> int:
    """As many as there were, and one where none has answered."""
    queued = any(file.run.plan.steps_queue_url is not None for file in files)
    return max(1, usage.workers) if queued else 0


def _region(files: Sequence[MetricsFile], prices: Prices, wanted: Wanted) -> str:
    known = ", ".join(prices.regions)
    if wanted.region is not None:
        if wanted.region not in prices.regions:
            raise UsageError(f"--region {wanted.region} has no prices; the price file has {known}")
        return wanted.region
    told = {str(file.run.settings.get("AWS_REGION")) for file in files if file.run.settings.get("AWS_REGION")}
    if not told:
        return prices.first_region
    if len(told) > 1:
        raise UsageError(f"the runs were in {', '.join(sorted(told))}; --region names the one to cost them in")
    region = told.pop()
    if region not in prices.regions:
        raise UsageError(f"the runs were in {region}, which has no prices; --region names one of {known}")
    return region


def _month(tariff: Tariff, usage: Usage, steps_per_hour: Decimal | None) -> Bill | None:
    if steps_per_hour is None or not usage.steps:
        return None
    return tariff.bill(usage, steps_per_hour * HOURS_PER_MONTH / usage.steps)


def _assumptions(
    files: Sequence[MetricsFile], prices: Prices, wanted: Wanted, region: str, usage: Usage, tariff: Tariff
) -> Iterator[str]:
    yield from _about_runs(files)
    checked = prices.regions[region].checked
    compared = f"compared with AWS's: {', '.join(checked)}; the others" if checked else "not compared with AWS's: they"
    yield (
        f"List prices of {region} as of {prices.as_of}, without tax, discounts and free tiers; {compared} may be out "
        "of date. The pages to look at are in the price file, and --prices takes another one."
    )
    yield from _about_counting(usage)
    kept = f"Payloads stay in S3 for {wanted.keep_days} days (--keep-days)"
    if all(file.run.settings.get("CLEANUP") is True for file in files):
        kept = "The runs removed their payloads at their end (CLEANUP, as compare does), so their storage costs nothing"
    yield f"{kept}, and the runs' own metrics files and leases, clean-up and logs are not counted."
    yield from _about_ways(files)
    yield from _about_compute(files, tariff)
    polls = f"An idle worker polls every {LONG_POLL_SECONDS} s; a" if _idle_workers(files, usage) else "A"
    yield f"{polls} month has {HOURS_PER_MONTH} hours, a GB {BYTES_PER_GB:,} bytes."


def _about_ways(files: Sequence[MetricsFile]) -> Iterator[str]:
    by_function = [file.run.plan.lambda_function is not None for file in files]
    if any(by_function):
        yield "The Lambda function is in no VPC and reaches S3 in its region for nothing."
    if not all(by_function):
        yield "Workers reach S3 in the region through a gateway endpoint, which is free; other ways are shown beside."


def _about_compute(files: Sequence[MetricsFile], tariff: Tariff) -> Iterator[str]:
    if tariff.machine is None:
        if any(file.run.plan.lambda_function is not None for file in files):
            yield "What Lambda bills for the function is not in it: add --instance-type lambda:MB with its memory."
        return
    yield _about_machine(tariff.machine, tariff)
    if failed := sum(len(file.failures) for file in files):
        attempts = "1 attempt that failed is" if failed == 1 else f"{failed} attempts that failed is"
        billed = ", as are Lambda's requests for them" if not tariff.machine.stays else ""
        yield f"Executor time of {attempts} in no sum{billed}: no sample tells it."


def _about_runs(files: Sequence[MetricsFile]) -> Iterator[str]:
    if any(file.run.environment == "embedded" for file in files):
        yield (
            "As if on AWS: these runs were on the embedded stack, which costs nothing; their requests and sizes are "
            "what AWS would bill, their times are this machine's."
        )
    if any(file.run.plan.sse == "kms" for file in files):
        yield "The requests to KMS that SSE=kms makes are not counted."
    if not all(map(is_finished, files)):
        yield "Not every run has finished: this is the cost so far."


def _about_counting(usage: Usage) -> Iterator[str]:
    quantities = {
        "S3 PUT": usage.s3_puts,
        "S3 GET": usage.s3_gets,
        "SQS of workers": usage.worker_sqs,
        "SQS of the orchestrator": usage.orchestrator_sqs,
    }
    guessed = [f"{quantity.estimated} {name}" for name, quantity in quantities.items() if quantity.estimated]
    if guessed:
        yield (
            f"Estimated, not counted: {', '.join(guessed)}: of first payloads, of attempts that left no sample, of "
            "clients that cannot tell and of files from before requests were counted."
        )
    counted = "Requests are counted with their retries, errors as if they were billed."
    if usage.workers:
        counted += (
            " A worker's idle polls since its completion before are told with its next one: a run's first completions "
            "carry those from before it."
        )
    yield counted


def _about_machine(machine: Machine, tariff: Tariff) -> str:
    formula = "executor time of all steps / steps at once on a machine x its price of an hour"
    if not machine.stays:
        formula = "executor time of all steps x memory x its price of a GB-second + the price of each request"
    shown = "Machines that wait are shown beside."
    if not machine.stays:
        shown = "What Lambda bills of a handler's moments before and after a step is not in it."
    return (
        f"Compute: {formula}; {machine.name} runs {tariff.executors} at once, is always busy and as fast as the "
        f"machine that was measured. {shown}"
    )
