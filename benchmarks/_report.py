"""What every benchmark's command line looks like, and how its figures are printed."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks._figures import Figure, middle_half
from benchmarks._machine import Conditions, Watch

EXIT_OVER = 1
EXIT_USAGE = 2
EXIT_TERMINATED = 143
HEADINGS = ("figure", "ours", "theirs", "ratio", "[middle half]", "limit", "")


def parser(purpose: str, rounds: int) -> argparse.ArgumentParser:
    """The flags that all benchmarks have."""
    made = argparse.ArgumentParser(description=purpose)
    made.add_argument("--rounds", type=_positive, default=rounds, help=f"pairs of measurements (default {rounds})")
    made.add_argument("--json", action="store_true", help="print one JSON object, with every single value")
    made.add_argument("--check", action="store_true", help=f"exit {EXIT_OVER} when a figure is over its limit")
    return made


def run(
    title: str,
    arguments: argparse.Namespace,
    measure: Callable[[argparse.Namespace], list[Figure]],
    notes: Sequence[str],
) -> int:
    """Measures, prints, and returns the exit code: 0 whatever the figures say, unless --check was given."""
    if sys.platform != "linux":
        print("the benchmarks read /proc and need Linux", file=sys.stderr)
        return EXIT_USAGE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))  # blocks end what they started
    watch = Watch()
    figures = measure(arguments)
    conditions = watch.conditions()
    if arguments.json:
        print(json.dumps(_as_json(title, arguments.rounds, figures, conditions)))
    else:
        print("\n".join([f"{title}, {arguments.rounds} rounds", _conditions_line(conditions), ""]))
        print("\n".join(_table(figures)))
        print("\n".join(["", *notes, *_warnings(figures, conditions)]))
    over = any(figure.within is False for figure in figures)
    return EXIT_OVER if over and arguments.check else 0


def progress(text: str) -> None:
    """A line on stderr, so that nobody wonders for minutes."""
    print(f"  {text}", file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _as_json(title: str, rounds: int, figures: Sequence[Figure], conditions: Conditions) -> dict[str, object]:
    return {
        "benchmark": title,
        "rounds": rounds,
        "machine": conditions.as_json(),
        "figures": [figure.as_json() for figure in figures],
    }


def _conditions_line(conditions: Conditions) -> str:
    return (
        f"{conditions.cores} cores of {conditions.processor}, {conditions.memory_gb:g} GB; load at start "
        f"{conditions.load_at_start:.2f}; other programs used {conditions.others_share:.0%} of all cores meanwhile"
    )


def _warnings(figures: Sequence[Figure], conditions: Conditions) -> list[str]:
    warnings = []
    if conditions.busy:
        warnings.append("! The machine was busy with other things: run this again on a quiet one.")
    if any(not figure.sure for figure in figures):
        warnings.append("! A limit lies within the spread of its figure (unsure): more --rounds would tell.")
    return warnings


def _table(figures: Sequence[Figure]) -> list[str]:
    rows = [HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others, last = zip(row, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others), last[0]]).rstrip()


def _cells(figure: Figure) -> tuple[str, ...]:
    spread = middle_half(figure.ratios or figure.ours)
    return (
        f"{figure.name}, {figure.unit}",
        _number(median(figure.ours)),
        _number(median(figure.theirs)) if figure.theirs else "",
        f"{median(figure.ratios):.3f}" if figure.ratios else "",
        f"[{_number(spread[0])} to {_number(spread[1])}]",
        _limit(figure),
        figure.verdict,
    )


def _limit(figure: Figure) -> str:
    if figure.limit is None:
        return ""
    unit = "" if figure.limit.of == "ratio" else f" {figure.unit}"
    return f"{'at least' if figure.limit.at_least else 'at most'} {figure.limit.value:g}{unit}"


def _number(value: float) -> str:
    """Four digits, which is more than any of these figures deserves."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
