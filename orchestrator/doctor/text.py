"""Checks for a person, each as soon as it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from orchestrator.doctor.findings import Check, State
from orchestrator.report.doubts import plural
from orchestrator.report.units import one_line

if TYPE_CHECKING:
    from rich.console import Console

NAME_CELLS = len("SQS round trip")
STATE_CELLS = len("wrong")
STYLES: dict[State, str] = {"ok": "green", "note": "yellow", "wrong": "bold red"}


def show(checks: Iterable[Check], stream: TextIO) -> None:
    """Writes each when it comes, and at the end how many are wrong."""
    from orchestrator.report.consoles import console_on

    console = console_on(stream)
    wrong = 0
    for check in checks:
        _print(console, stream, check)
        wrong += check.state == "wrong"
    verdict = f"{plural(wrong, 'thing')} wrong." if wrong else "Nothing is wrong."
    stream.write(f"\n{verdict}\n")
    stream.flush()


def _print(console: Console, stream: TextIO, check: Check) -> None:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=NAME_CELLS, style="bold", no_wrap=True)
    grid.add_column(width=STATE_CELLS, style=STYLES[check.state], no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(check.name, check.state, one_line(check.found))
    if check.mend:
        grid.add_row("", "", one_line(f"Mend: {check.mend}"))
    with console.capture() as captured:
        console.print(grid)
    stream.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    stream.flush()
