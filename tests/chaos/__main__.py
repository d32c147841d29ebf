"""`python -m tests.chaos [PART ...] --rounds N --seed S`: the harness at any size; prints the figures.

A part is a folder here with a `part.py` that has `run(rounds, seed)`, which gives back its `Figures`, and ROUNDS, how
many there are unless told otherwise. One that goes by the clock says BY_THE_CLOCK, and its rounds are seconds. Exit
code 1: a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.chaos.figures import Figures

PARTS = sorted(file.parent.name for file in Path(__file__).parent.glob("*/part.py"))

DESCRIPTION = "Makes bad days, checks every promise on each, and prints the figures. Exit code 1: a promise was broken."


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    played = asked.parts or PARTS
    every = Figures()
    for name in played:
        part = import_module(f"tests.chaos.{name}.part")
        told = asked.seconds if hasattr(part, "BY_THE_CLOCK") else asked.rounds
        rounds = part.ROUNDS if told is None else told
        figures: Figures = part.run(rounds, asked.seed)
        print(*figures.failures, sep="\n", file=sys.stderr, end="\n" if figures.failures else "")
        print(f"{name}, {_seeds(part, asked.seed, rounds)}", *figures.lines(), sep="\n")
        every.add(figures)
    if len(played) > 1:
        print("all of them", *every.sums().lines(), sep="\n")
    return int(bool(every.failures))


def _seeds(part: ModuleType, first: int, rounds: int) -> str:
    return f"seed {first}" if hasattr(part, "BY_THE_CLOCK") else f"seeds {first} to {first + rounds - 1}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=DESCRIPTION)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--rounds", type=int, help="how many of each part; each has a number of its own by default")
    parser.add_argument("--seconds", type=int, help="how long the parts last that go by the clock")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next one has the next, and so on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
