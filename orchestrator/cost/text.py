"""Costs for a person: one table, and all that it rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from decimal import Decimal

from orchestrator.cost.bill import Bill, Line
from orchestrator.cost.costs import Costs

COLUMNS = 80
_WHAT, _AMOUNT, _USD = 34, 24, 14


def lines_of(costs: Costs) -> Iterator[str]:
    """Line by line."""
    yield f"What it costs in {costs.region}, in US dollars (prices as of {costs.as_of})"
    if "embedded" in costs.environments:
        yield "As if on AWS: the embedded stack itself costs nothing."
    yield ""
    steps = costs.usage.steps
    runs = "this run" if len(costs.run_ids) == 1 else f"these {len(costs.run_ids)} runs"
    yield from _bill(f"{runs[0].upper()}{runs[1:]}, {steps:,} steps", costs.runs)
    if costs.per_1000_steps_usd is not None:
        yield _row("per 1,000 steps", "", dollars(costs.per_1000_steps_usd))
    if costs.month is not None:
        yield ""
        yield from _bill("A month at the given rate", costs.month)
    yield ""
    if costs.idle_workers:
        workers = "worker" if costs.idle_workers == 1 else "workers"
        yield from _bill(f"A month of {costs.idle_workers} idle {workers}", costs.idle_month)
        yield ""
    yield "Beside it, in no sum: the run's transfers on other ways than a gateway endpoint"
    yield from (_line(line) for line in costs.aside.lines)
    yield ""
    if any(line.estimated for line in costs.runs.lines):
        yield "* estimated, in whole or in part"
        yield ""
    yield "What this rests on"
    for sentence in costs.assumptions:
        yield from textwrap.wrap(sentence, COLUMNS, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def dollars(usd: Decimal) -> str:
    """`$0`, `$0.000123`, `$12.35`: to the cent from a dollar on, else three figures."""
    if not usd:
        return "$0"
    places = 2 if usd >= Decimal("0.995") else min(12, 2 - usd.adjusted())
    return f"${usd:,.{places}f}"


def _bill(title: str, bill: Bill) -> Iterator[str]:
    yield title
    yield from (_line(line) for line in bill.lines)
    yield _row("total", "", dollars(bill.usd))


def _line(line: Line) -> str:
    guessed = " *" if line.estimated else ""
    return _row(line.what, f"{_amount(line.amount)} {line.unit}{guessed}", dollars(line.usd))


def _row(what: str, amount: str, usd: str) -> str:
    return f"  {what:<{_WHAT}}{amount:>{_AMOUNT}}{usd:>{_USD}}"


def _amount(amount: Decimal) -> str:
    if amount == amount.to_integral_value():
        return f"{int(amount):,}"
    return f"{amount:,.{0 if amount >= 1000 else min(9, max(0, 2 - amount.adjusted()))}f}"
