"""`python -m tests.chaos [PART ...] --rounds N --seed S`: the harness at any size; prints the figures.

A part is a folder here with a `part.py` that has `run(rounds, seed)`, which gives back its `Figures`. Exit code 1: a
promise was broken.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from tests.chaos.figures import Figures

PARTS = sorted(file.parent.name for file in Path(__file__).parent.glob("*/part.py"))

DESCRIPTION = "Makes bad days, checks every promise on each, and prints the figures. Exit code 1: a promise was broken."


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    broken = False
    for name in asked.parts or PARTS:
        figures: Figures = import_module(f"tests.chaos.{name}.part").run(asked.rounds, asked.seed)
        print(*figures.failures, sep="\n", file=sys.stderr, end="\n" if figures.failures else "")
        print(f"{name}, seeds {asked.seed} to {asked.seed + asked.rounds - 1}", *figures.lines(), sep="\n")
        broken = broken or bool(figures.failures)
    return int(broken)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=DESCRIPTION)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--rounds", type=int, default=1_000, help="how many of each part, %(default)s by default")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next one has the next, and so on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
