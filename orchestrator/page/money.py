"""What each case costs on AWS, by the model of `orchestrator.cost`, as a table for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from orchestrator.cost.costs import Costs, Wanted, costs_of
from orchestrator.cost.prices import Prices
from orchestrator.page.grids import Cell, Grid
from orchestrator.page.material import Material
from orchestrator.page.shown import usd, usd_places
from stepbench.errors import UsageError

KINDS = {
    "S3 requests": ("S3 PUT, POST, LIST", "S3 GET and others"),
    "S3 storage": ("S3 storage",),
    "S3 transfer": ("S3 to compute and back",),
    "SQS": ("SQS, workers", "SQS, orchestrator"),
}
"""Columns, and the lines of a bill that are in them; compute has the machine's name."""

REMOVED = "; the runs removed their payloads at their end, so S3 stores nothing"


@dataclass(frozen=True)
class Money:
    grid: Grid | None
    notes: tuple[str, ...]
    """What it rests on."""
    idle: str = ""


def money_of(material: Material, names: Sequence[str], prices: Prices, wanted: Wanted) -> Money:
    """Raises UsageError for what a person asked for and what has no price; what they did not ask for is told."""
    try:
        costs = dict(_costs(material, names, prices, wanted))
    except UsageError as error:
        if wanted.region or wanted.instance_type:
            raise
        return Money(None, tuple(error.problems))
    if not costs:
        return Money(None, ("No step was done, so there is nothing to cost.",))
    first = next(iter(costs.values()))
    every = [run.file for name in costs for run in material.of_case(name)]
    together = costs_of(every, prices, wanted.model_copy(update={"region": first.region}))
    return Money(_grid(costs), together.assumptions, _idle(first))


def _costs(material: Material, names: Sequence[str], prices: Prices, wanted: Wanted) -> Iterator[tuple[str, Costs]]:
    for name in names:
        found = costs_of(files, prices, wanted) if (files := [run.file for run in material.of_case(name)]) else None
        if found is not None and found.usage.steps:
            yield name, found


def _grid(costs: dict[str, Costs]) -> Grid:
    has_machine = any(line.what.startswith("compute") for found in costs.values() for line in found.runs.lines)
    rows = [list(_amounts(found, has_machine=has_machine)) for found in costs.values()]
    columns = [list(_dollars(column)) for column in zip(*rows, strict=True)]
    headings = ["case", *KINDS, *(["compute"] if has_machine else []), "sum for 1,000 steps"]
    return Grid.made(
        "Dollars for 1,000 steps" + REMOVED * all(found.usage.stored_bytes == 0 for found in costs.values()),
        headings,
        [[Cell(name), *cells] for name, cells in zip(costs, zip(*columns, strict=True), strict=True)],
    )


def _amounts(found: Costs, *, has_machine: bool) -> Iterator[Decimal]:
    times = Decimal(1000) / found.usage.steps
    kinds: dict[str, Decimal] = dict.fromkeys(KINDS, Decimal(0))
    compute = Decimal(0)
    for line in found.runs.lines:
        kind = next((kind for kind, names in KINDS.items() if line.what in names), None)
        if kind is None:
            compute += line.usd * times
        else:
            kinds[kind] += line.usd * times
    yield from kinds.values()
    if has_machine:
        yield compute
    yield found.runs_usd * times


def _dollars(column: Sequence[Decimal]) -> Iterator[Cell]:
    amounts = list(map(float, column))
    places = usd_places(amounts)
    yield from (Cell(usd(amount, places), amount) for amount in amounts)


def _idle(found: Costs) -> str:
    """Empty where no worker could wait, as the runs' channel has none."""
    if not found.idle_workers:
        return ""
    workers = "worker that waits" if found.idle_workers == 1 else "workers that wait"
    return (
        f"A month of {found.idle_workers} {workers} for steps costs {usd(float(found.idle_month_usd))}: "
        + "; ".join(f"{line.what} {usd(float(line.usd))}" for line in found.idle_month.lines)
        + "."
    )
