"""Usage times prices → dollars: for the runs as they were, for 1,000 steps, and for a month at a given rate.

All amounts are decimal and exact; nothing is rounded before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from orchestrator.cost.machines import SECONDS_PER_HOUR, Machine
from orchestrator.cost.prices import Region, Sqs
from orchestrator.cost.usage import Quantity, Usage
from stepbench.samples import Frozen

HOURS_PER_MONTH = 730
"""As AWS's own calculator has it."""
LONG_POLL_SECONDS = 20
BYTES_PER_GB = 10**9
"""Where AWS bills GiB under the name of GB, this is up to 7 % too much."""
MILLION = 1_000_000


class Line(Frozen):
    """One thing that is paid for."""

    what: str
    amount: Decimal
    unit: str
    estimated: Decimal
    """Of the amount, what was not counted but estimated."""
    usd: Decimal


class Bill(Frozen):
    lines: tuple[Line, ...]

    @property
    def usd(self) -> Decimal:
        return sum((line.usd for line in self.lines), Decimal(0))


class Tariff:
    """The prices of a region, how long payloads are kept, and the machine, if steps are to be costed on one."""

    def __init__(self, region: Region, keep_days: Decimal, machine: Machine | None, executors: int | None) -> None:
        """`executors`: steps at once on the machine; null: what the machine has room for."""
        self._region = region
        self._keep_days = keep_days
        self.machine = machine
        self.executors = 1 if machine is None else executors if machine.stays and executors else machine.executors

    def bill(self, usage: Usage, times: Decimal = Decimal(1)) -> Bill:
        """What `usage`, so many `times` within one month, costs."""
        return Bill(lines=(*self._s3(usage, times), *self._sqs(usage, times), *self._compute(usage, times)))

    def idle_month(self, workers: int) -> Bill:
        """`workers` that wait for steps for a month, each with one long poll after the other."""
        polls = Decimal(workers * HOURS_PER_MONTH * SECONDS_PER_HOUR) / LONG_POLL_SECONDS
        lines = [_line("SQS requests of long polls", polls, "requests", sqs_usd(self._region.sqs, polls))]
        if self.machine is not None and self.machine.stays:
            hours = Decimal(workers * HOURS_PER_MONTH)
            lines.append(_line(f"machines, {self.machine.name}", hours, "hours", hours * self.machine.hour_usd))
        return Bill(lines=tuple(lines))

    def aside(self, usage: Usage, times: Decimal = Decimal(1)) -> Bill:
        """What the transfers would cost on other ways than the gateway endpoint, which is free."""
        transfer = self._region.transfer
        down_gb, up_gb = (_gb(moved) * times for moved in (usage.downloaded_bytes, usage.uploaded_bytes))
        both_gb = down_gb + up_gb
        return Bill(
            lines=(
                _line("through a NAT gateway", both_gb, "GB", both_gb * transfer.nat_gateway_gb),
                _line("through an interface endpoint", both_gb, "GB", both_gb * transfer.interface_endpoint_gb),
                _line("downloads to workers outside AWS", down_gb, "GB", down_gb * transfer.internet_out_gb),
            )
        )

    def _s3(self, usage: Usage, times: Decimal) -> Iterator[Line]:
        prices = self._region.s3
        puts, gets = usage.s3_puts, usage.s3_gets
        yield _requests("S3 PUT, POST, LIST", puts, times, prices.put_copy_post_list_per_1000 / 1000)
        yield _requests("S3 GET and others", gets, times, prices.get_and_others_per_1000 / 1000)
        gb_months = _gb(usage.stored_bytes) * self._keep_days * 24 / HOURS_PER_MONTH * times
        yield _line("S3 storage", gb_months, "GB-months", gb_months * prices.storage_gb_month)
        moved_gb = _gb(usage.downloaded_bytes + usage.uploaded_bytes) * times
        yield _line("S3 to compute and back", moved_gb, "GB", moved_gb * self._region.transfer.s3_in_region_gb)

    def _sqs(self, usage: Usage, times: Decimal) -> Iterator[Line]:
        """Tiers are of all requests of a month together, so both lines have the same average price."""
        every = Decimal(usage.worker_sqs.total + usage.orchestrator_sqs.total) * times
        each_usd = sqs_usd(self._region.sqs, every) / every if every else Decimal(0)
        yield _requests("SQS, workers", usage.worker_sqs, times, each_usd)
        yield _requests("SQS, orchestrator", usage.orchestrator_sqs, times, each_usd)

    def _compute(self, usage: Usage, times: Decimal) -> Iterator[Line]:
        machine = self.machine
        if machine is None:
            return
        hours = Decimal(usage.executor_ns) * times / (10**9 * SECONDS_PER_HOUR) / self.executors
        usd = hours * machine.hour_usd + usage.executions * times * machine.start_usd
        yield _line(f"compute, {machine.name}", hours, "hours", usd)


def sqs_usd(prices: Sqs, requests: Decimal) -> Decimal:
    """Of so many requests in a month."""
    usd, from_ = Decimal(0), Decimal(0)
    for tier in prices.per_million:
        end = requests if tier.up_to is None else min(requests, Decimal(tier.up_to))
        usd += max(Decimal(0), end - from_) * tier.usd / MILLION
        from_ = max(from_, end)
    return usd


def _requests(what: str, quantity: Quantity, times: Decimal, each_usd: Decimal) -> Line:
    amount = quantity.total * times
    return Line(what=what, amount=amount, unit="requests", estimated=quantity.estimated * times, usd=amount * each_usd)


def _line(what: str, amount: Decimal, unit: str, usd: Decimal) -> Line:
    return Line(what=what, amount=amount, unit=unit, estimated=Decimal(0), usd=usd)


def _gb(count_bytes: int) -> Decimal:
    return Decimal(count_bytes) / BYTES_PER_GB
