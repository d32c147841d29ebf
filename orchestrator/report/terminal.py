"""The summary for a person: where did the time go, then everything around it. Reads well at 80 columns.

Colour is a help, never the message, and only in what both light and dark terminals show well; rich leaves it out where
the stream is no terminal. Paths and commands are not wrapped, so that they can be copied.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from orchestrator.report import facts, units
from orchestrator.report.doubts import plural
from orchestrator.report.summary import Summary
from orchestrator.report.table import of_parts
from orchestrator.report.units import one_line

if TYPE_CHECKING:
    from rich.console import Console

LABEL_CELLS = 11


def show(summary: Summary, stream: TextIO, next_commands: Sequence[str] | None = None) -> None:
    """Writes `summary` to `stream`.

    `next_commands` are what to run next; without them, how to go on with what was interrupted or has failed, and the
    report of the same files as JSON.
    """
    from orchestrator.report.consoles import console_on

    console = console_on(stream)
    with console.capture() as captured:
        _print_head(console, summary)
        if summary.parts:
            _print_table(console, summary)
        _print_facts(console, facts.of(summary))
        _print_whole(console, facts.left_in_s3(summary))
        _print_warnings(console, summary)
        _print_paths(console, summary, next_commands or _next(summary))
    stream.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    stream.flush()


def _next(summary: Summary) -> list[str]:
    """Each command names files: a run id alone would be looked for in another run's --metrics-dir."""
    resumable = [run.file for run in summary.interrupted if run.resumable]
    return [
        *(f"python -m orchestrator resume {shlex.quote(file)}" for file in resumable),
        *(f"python -m orchestrator resume --retry-failed {shlex.quote(file)}" for file in summary.to_retry),
        f"python -m orchestrator report --json {shlex.join(summary.files)}",
    ]


def _print_head(console: Console, summary: Summary) -> None:
    console.print()
    console.print(one_line(facts.setup(summary)), style="bold")
    console.print(summary.label)
    counts = summary.counts
    if not summary.finished:
        done = f"{counts.samples} of {plural(counts.steps, 'step')}"
        none_goes_on = len(summary.interrupted) == len(summary.run_ids)
        console.print(f"Interrupted after {done}." if none_goes_on else f"Not finished: {done} so far.")
    for run in summary.interrupted:
        if not run.resumable:
            console.print(
                f"Run {run.run_id} cannot be resumed: its payloads were on the embedded stack.",
                soft_wrap=True,
            )
    if not summary.parts:
        left_out = " (all samples are late or interrupted)" if counts.samples else ""
        console.print(f"\nNo step is in the statistics{left_out}, so there is nothing to say about time.")


def _print_table(console: Console, summary: Summary) -> None:
    console.print(f"\nWhere the time went {_basis(summary)}", style="bold")
    if summary.orchestration_share is not None:
        worked = units.percent(1 - summary.orchestration_share)
        console.print(
            f"{worked} in the steps' own work, {units.percent(summary.orchestration_share)} in orchestration."
        )
    console.print(of_parts(summary, console.width, console.encoding))


def _basis(summary: Summary) -> str:
    counts = summary.counts
    left_out = [
        f"{number} {name}"
        for number, name in (
            (0 if summary.cold_only else counts.cold, "cold"),
            (counts.late, "late"),
            (counts.interrupted, "interrupted"),
            (counts.warmup, "warm-up"),
        )
        if number
    ]
    cold = " cold" if summary.cold_only else ""
    aside = f"; left out: {', '.join(left_out)}" if left_out else ""
    return f"({plural(counts.in_statistics, f'{cold} sample'.strip())}{aside})"


def _print_facts(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold", min_width=LABEL_CELLS)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, one_line(text))
    console.print()
    console.print(grid)


def _print_warnings(console: Console, summary: Summary) -> None:
    from rich.table import Table

    if not summary.warnings:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    for warning in summary.warnings:
        grid.add_row("!", one_line(warning))
    console.print("\nBefore you trust these figures", style="bold")
    console.print(grid)


def _print_paths(console: Console, summary: Summary, next_commands: Sequence[str]) -> None:
    console.print()
    for name, texts in (("Metrics", summary.files), ("Copied to", summary.copies), ("Next", next_commands)):
        _print_whole(console, ((name if not index else "", text) for index, text in enumerate(texts)))


def _print_whole(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    """Below the facts, in their columns, and never wrapped."""
    for name, text in rows:
        console.print(f"{name:{LABEL_CELLS}}  {one_line(text)}", soft_wrap=True)
