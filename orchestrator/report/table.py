"""The table of where the time went. What a narrow terminal has no room for is left out; a number is never shortened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.report import units
from orchestrator.report.summary import Part, Spread, Summary
from orchestrator.report.units import Scale

if TYPE_CHECKING:
    from rich.table import Table

GAP_CELLS = 2
BAR_CELLS = 12
SMALL_SHARE = 0.001
"""Parts below this share of the wall step back."""
SHOWN_ONLY_WHEN_THEY_HAPPENED = ("retry", "redelivery")
SPREAD = ("p50", "p95", "max")
FIRST_TO_GO = ("bar", "CPU", "MB/s", "max", "p95")
"""Columns in the order in which they are left out."""

Cells = dict[str, str]
"""The cells of one row by column, in the order of the columns."""


def of_parts(summary: Summary, width: int, encoding: str) -> Table:
    """For `width` cells and a stream of that `encoding`; `summary` must have parts."""
    from rich.table import Table

    # By the medians: one step that waited for minutes must not take the digits from all the others.
    scale = units.scale_of(max(part.duration_ns.p50 for part in summary.parts.values()))
    headings, rows = _headings(scale), list(_rows(summary, scale, encoding))
    columns = _columns_that_fit([headings, *(cells for cells, _ in rows)], width)
    table = Table(box=None, pad_edge=False, padding=(0, GAP_CELLS, 0, 0), header_style="bold")
    for name in columns:
        in_text = name in ("part", "bar")
        style = "cyan" if name == "bar" else None
        table.add_column(headings[name], justify="left" if in_text else "right", no_wrap=True, style=style)
    for cells, style in rows:
        table.add_row(*(cells.get(name, "") for name in columns), style=style)
    return table


def _columns_that_fit(rows: Sequence[Cells], width: int) -> list[str]:
    columns = list(rows[0])
    for name in FIRST_TO_GO:
        widths = [max(len(cells.get(column, "")) for cells in rows) for column in columns]
        if sum(widths) + GAP_CELLS * (len(widths) - 1) <= width:
            break
        columns.remove(name)
    return columns


def _headings(scale: Scale) -> Cells:
    durations = {name: f"{name} {scale.unit}" for name in SPREAD}
    return {"part": "part", **durations, "MB/s": "MB/s", "CPU": "CPU", "share": "share", "bar": ""}


def _rows(summary: Summary, scale: Scale, encoding: str) -> Iterator[tuple[Cells, str | None]]:
    """Each with its style."""
    largest = max((part.share or 0) for part in summary.parts.values())
    for name, part in summary.parts.items():
        if part.duration_ns.max or name not in SHOWN_ONLY_WHEN_THEY_HAPPENED:
            share = part.share or 0
            bar = _bar(share / largest if largest > 0 else 0, encoding)
            yield _row(name, part, scale) | {"bar": bar}, "dim" if share < SMALL_SHARE else None
    if summary.step_ns:
        yield {"part": "total", **_durations(summary.step_ns, scale)}, "bold"


def _row(name: str, part: Part, scale: Scale) -> Cells:
    cells = {"part": name.replace("_", " "), **_durations(part.duration_ns, scale)}
    if part.mb_per_second is not None:
        cells["MB/s"] = units.rate(part.mb_per_second)
        if part.cpu_share is not None:
            cells["CPU"] = f"{part.cpu_share * 100:.0f}%"
    if part.share is not None:
        cells["share"] = units.percent(part.share)
    return cells


def _durations(spread: Spread, scale: Scale) -> Cells:
    return {name: scale.show(getattr(spread, name)) for name in SPREAD}


def _bar(share_of_largest: float, encoding: str) -> str:
    """Half cells where the stream can show them."""
    halves = round(max(0.0, share_of_largest) * BAR_CELLS * 2)
    if not encoding.lower().startswith("utf"):
        return "#" * (halves // 2)
    return "━" * (halves // 2) + "╸" * (halves % 2)
