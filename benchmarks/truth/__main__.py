"""`python -m benchmarks.truth [PART ...] [--rounds N] [--json] [--check]`: every part, or those that are named."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import cast

from benchmarks._report import EXIT_OVER
from benchmarks.truth import Part, Row

PARTS = sorted(file.stem for file in Path(__file__).parent.glob("[a-z]*.py"))
HEADINGS = ("what", "figure", "limit", "")
VERDICTS = {True: "holds", False: "DOES NOT HOLD", None: ""}


def main(arguments: list[str] | None = None) -> int:
    """0 whatever the figures say, unless --check is given: then 1 where one is over its limit."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    held = []
    for name in asked.parts or PARTS:
        part = cast("Part", import_module(f"benchmarks.truth.{name}"))
        rows = part.run(asked.rounds)
        print(_as_json(name, rows) if asked.json else "\n".join([name, *_table(rows), *part.NOTES, ""]), flush=True)
        held += [row.holds for row in rows]
    return EXIT_OVER if False in held and asked.check else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.truth", description="Proves that the figures are right."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--rounds", type=_positive, help="how much of it is measured now; each part has its default")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each part")
    parser.add_argument("--check", action="store_true", help=f"exit {EXIT_OVER} when a limit is broken")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _as_json(name: str, rows: Sequence[Row]) -> str:
    return json.dumps({"part": name, "rows": [asdict(row) for row in rows]})


def _table(rows: Sequence[Row]) -> list[str]:
    cells = [HEADINGS, *((row.what, row.figure, row.limit, VERDICTS[row.holds]) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


if __name__ == "__main__":
    sys.exit(main())
