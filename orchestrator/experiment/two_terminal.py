"""The answer of `compare A B` for a person: a sentence on the step, a verdict on each phase, what to distrust."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from orchestrator.experiment.terminal import ratio
from orchestrator.experiment.two import Quantity, TwoCases, TwoResult
from orchestrator.report.units import one_line
from orchestrator.verdicts import words
from orchestrator.verdicts.comparison import Comparison

if TYPE_CHECKING:
    from rich.console import Console

VERDICTS = {"less": "faster", "more": "slower"}


def show(result: TwoResult, stream: TextIO) -> None:
    """Writes `result` to `stream`."""
    from orchestrator.report.consoles import console_on

    console = console_on(stream)
    with console.capture() as captured:
        console.print()
        for name, text in (("A", result.a), ("B", result.b)):
            console.print(f"{name}  {one_line(text)}", soft_wrap=True)
        for case in result.cases:
            _print_case(console, case, alone=len(result.cases) == 1)
        _print_notes(console, result)
    stream.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    stream.flush()


def _print_case(console: Console, case: TwoCases, *, alone: bool) -> None:
    from rich.table import Table

    console.print()
    told = words.sentence("B", "A", case.step.comparison, unit="ms")
    console.print(one_line(f"{told}." if alone else f"{case.name}: {told}."), style="bold")
    if case.gate is not None:
        console.print(one_line(f"{case.gate.sentence[0].upper()}{case.gate.sentence[1:]}."))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("part", "A ms", "B ms", "B / A", "interval", "verdict"):
        table.add_column(heading, justify="left" if heading in ("part", "verdict") else "right", no_wrap=True)
    for name, each in case.parts.items():
        table.add_row(name.replace("_", " "), *_cells(each))
    table.add_row("step", *_cells(case.step), style="bold")
    console.print(table)


def _cells(each: Quantity) -> tuple[str, ...]:
    found = each.comparison
    verdict = VERDICTS.get(found.verdict, str(found.verdict))
    return (_ms(each.a_ms), _ms(each.b_ms), _estimate(found), _interval(found), verdict)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _estimate(found: Comparison) -> str:
    if found.estimate is None:
        return ""
    return ratio(found.estimate) if found.scale == "ratio" else f"{found.estimate:+.2f} ms"


def _interval(found: Comparison) -> str:
    if found.interval is None:
        return ""
    low, high = found.interval.low, found.interval.high
    return f"{ratio(low)}-{ratio(high)}" if found.scale == "ratio" else f"{low:+.2f} to {high:+.2f}"


def _print_notes(console: Console, result: TwoResult) -> None:
    from rich.table import Table

    grid = Table.grid(padding=(0, 1, 0, 0))
    for note in (*result.differences, *result.warnings):
        grid.add_row("!", one_line(note))
    console.print("\nBefore you trust these figures", style="bold")
    console.print(grid)
