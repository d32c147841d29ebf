"""The result for a person: the answer in words, the ranking, what to distrust, where everything is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from orchestrator.experiment.result import CaseResult, Result
from orchestrator.report import memory, units
from orchestrator.report.doubts import plural
from orchestrator.report.units import Scale, one_line
from orchestrator.verdicts.comparison import ALPHA, Comparison

if TYPE_CHECKING:
    from rich.console import Console

LABEL_CELLS = 11
GAP_CELLS = 2
FIRST_TO_GO = ("rounds", "memory", "CPU", "USD/1000", "interval", "size")
"""Columns in the order in which they are left out where the terminal is narrow; what is piped has them all."""
NAMES_LEFT_ALIGNED = ("case", "front")
LEGEND = {
    "front": "front: no other case is both as fast and as small.",
    "floor": "raw hands bytes on and decodes nothing: a floor, not a choice for records.",
    "ratio": "Ratios of step times are to the baseline.",
    "interval": (
        f"Intervals are of {100 * (1 - ALPHA):g} %, corrected for the number of cases, and a ? marks those that a "
        "ratio of 1 lies in."
    ),
    "USD/1000": "USD/1000: what AWS bills for S3 and SQS in 1,000 steps.",
}
"""By the column that it explains, or the mark."""

Cells = dict[str, str]


def show(result: Result, stream: TextIO) -> None:
    """Writes `result` to `stream`."""
    from orchestrator.report.consoles import console_on

    console = console_on(stream)
    with console.capture() as captured:
        _print_answer(console, result)
        _print_table(console, result)
        _print_warnings(console, result)
        _print_paths(console, result)
    stream.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    stream.flush()


def _print_answer(console: Console, result: Result) -> None:
    console.print()
    for number, sentence in enumerate(result.answer):
        console.print(one_line(sentence), style="bold" if number == 0 else None)
    console.print(f"{_extent(result)} {result.label}")


def _extent(result: Result) -> str:
    cases = plural(len(result.cases), "case")
    if result.finished:
        return f"{cases}, {plural(result.rounds, 'round')}{_ended_by(result)}."
    at_most = "at most " if result.may_end_early else ""
    return f"{cases}, {result.rounds} of {at_most}{plural(result.repeats, 'round')} so far: not finished."


def _ended_by(result: Result) -> str:
    return f" of at most {result.repeats}: {result.ended_by}" if result.ended_by else ""


def _print_table(console: Console, result: Result) -> None:
    from rich.table import Table

    medians = [case.step_ns.median for case in result.cases if case.step_ns.median is not None]
    if not medians:
        return
    scale = units.scale_of(round(max(medians)))
    rows = [_row(case, scale) for case in result.cases]
    has_memory = any(row["memory"] for row in rows)
    headings = {
        name: f"step {scale.unit}" if name == "step" else name for name in rows[0] if name != "memory" or has_memory
    }
    columns = _columns_that_fit([headings, *rows], console.width) if console.is_terminal else list(headings)
    table = Table(box=None, pad_edge=False, padding=(0, GAP_CELLS, 0, 0), header_style="bold")
    for name in columns:
        is_text = name in NAMES_LEFT_ALIGNED
        table.add_column(
            headings[name], justify="left" if is_text else "right", no_wrap=name != "case", overflow="fold"
        )
    for case, row in zip(result.cases, rows, strict=True):
        table.add_row(*(row[name] for name in columns), style="bold" if case.is_baseline else None)
    console.print()
    usual = console.width
    console.width = max(usual, 0 if console.is_terminal else _cells([headings, *rows], columns))
    console.print(table)
    console.width = usual
    marked = [*columns, *(["floor"] if any(case.is_floor for case in result.cases) else [])]
    remark = "" if has_memory or len(rows) == 1 else memory.NOT_SHOWN
    console.print(_legend(marked, [name for name in headings if name not in columns], remark), style="dim")


def _legend(shown: Sequence[str], left_out: Sequence[str], remark: str) -> str:
    told = [sentence for column, sentence in LEGEND.items() if column in shown]
    if left_out:
        told.append(f"Left out, as the terminal is narrow: {', '.join(left_out)}.")
    return " ".join(filter(None, [*told, remark]))


def _row(case: CaseResult, scale: Scale) -> Cells:
    median = case.step_ns.median
    cells = {
        "rank": _rank(case),
        "case": case.name,
        "step": "" if median is None else scale.show(round(median)),
        "ratio": _ratio(case),
        "interval": _interval(case.against_baseline),
        "rounds": str(case.rounds),
        "size": _size(case.bytes_out),
        "CPU": "" if case.cpu_ns is None else units.duration(round(case.cpu_ns)),
        "memory": _size(case.peak_rss_bytes),
    }
    cells["USD/1000"] = "" if case.usd_per_1000_steps is None else f"{case.usd_per_1000_steps:.4f}"
    return {**cells, "front": "front" if case.on_front else ""}


def _rank(case: CaseResult) -> str:
    if case.is_floor and case.rounds:
        return "floor"
    best, worst = case.rank.best, case.rank.worst
    if best is None or worst is None:
        return "failed" if case.failed_runs else ""
    return str(best) if best == worst else f"{best}-{worst}"


def _ratio(case: CaseResult) -> str:
    if case.is_baseline:
        return "baseline"
    found = case.against_baseline
    if found is None or found.estimate is None or found.scale != "ratio":
        return ""
    return ratio(found.estimate)


def _interval(found: Comparison | None) -> str:
    if found is None or found.interval is None or found.scale != "ratio":
        return ""
    told = f"{ratio(found.interval.low)}-{ratio(found.interval.high)}"
    return f"{told} ?" if found.verdict == "no difference seen" else told


def ratio(value: float) -> str:
    """Three figures behind the point where they matter; `0.982`, `12.4`, `>999` for what says nothing any more."""
    if value >= 999.5:
        return ">999"
    return f"{value:.3f}" if value < 9.9995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _size(count_bytes: float | None) -> str:
    return "" if count_bytes is None else units.size(round(count_bytes))


def _columns_that_fit(rows: Sequence[Cells], width: int) -> list[str]:
    columns = list(rows[0])
    for name in FIRST_TO_GO:
        if _cells(rows, columns) <= width:
            break
        if name in columns:
            columns.remove(name)
    return columns


def _cells(rows: Sequence[Cells], columns: Sequence[str]) -> int:
    """How wide a table of these columns is."""
    widths = [max(len(cells[column]) for cells in rows) for column in columns]
    return sum(widths) + GAP_CELLS * (len(widths) - 1)


def _print_warnings(console: Console, result: Result) -> None:
    from rich.table import Table

    warnings = [*result.warnings, *(f"{one_line(reason)}." for reason in result.skipped)]
    if not warnings:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    for warning in warnings:
        grid.add_row("!", one_line(warning))
    console.print("\nBefore you trust these figures", style="bold")
    console.print(grid)


def _print_paths(console: Console, result: Result) -> None:
    folder = shlex.quote(result.folder)
    rows = [("Folder", result.folder)]
    if not result.finished:
        rows.append(("Go on", f"python -m orchestrator compare --resume {folder}"))
    rows.append(("Next", f"python -m orchestrator report {folder} --html report.html"))
    console.print()
    for name, text in rows:
        console.print(f"{name:{LABEL_CELLS}}  {one_line(text)}", soft_wrap=True)
