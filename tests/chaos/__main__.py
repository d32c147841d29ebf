"""`python -m tests.chaos [PART ...] --rounds N --seed S`: the harness at any size; prints the figures.

A part is a folder here with a `part.py` that has `run(rounds, seed)`, which gives back its `Figures`, and ROUNDS, how
many there are unless told otherwise. One that goes by the clock says BY_THE_CLOCK, and its rounds are seconds.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.chaos.figures import Figures
from tests.hearing import hear_signals

PARTS = sorted(file.parent.name for file in Path(__file__).parent.glob("*/part.py"))

DESCRIPTION = "Makes bad days, checks every promise on each, and prints the figures."
EPILOG = "Exit codes: 0 every promise was kept, 1 one was broken, 2 wrong usage, 3 a package is missing."
EXIT_MISSING = 3
DEFAULTS = "190 of faults, 1000 of inputs, 30 of processes, 1000 of schedules"
"""Written down, so that --help need not load the parts and what they need; a test holds it to them."""


def main(arguments: list[str] | None = None) -> int:
    hear_signals()
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    played = asked.parts or PARTS
    parts = {name: _part(name, parser) for name in played}
    clocked = [name for name, part in parts.items() if hasattr(part, "BY_THE_CLOCK")]
    if asked.seconds is not None and not clocked:
        parser.error(f"--seconds is for parts that go by the clock, which {', '.join(played)} does not: --rounds")
    if asked.rounds is not None and len(clocked) == len(played):
        parser.error(f"{', '.join(played)} goes by the clock: --seconds")
    every = Figures()
    for name, part in parts.items():
        told = asked.seconds if hasattr(part, "BY_THE_CLOCK") else asked.rounds
        rounds = part.ROUNDS if told is None else told
        figures: Figures = part.run(rounds, asked.seed)
        print(*figures.failures, sep="\n", file=sys.stderr, end="\n" if figures.failures else "")
        print(f"{name}, {_seeds(part, asked.seed, rounds)}", *figures.lines(), sep="\n")
        every.add(figures)
    if len(played) > 1:
        print("all of them", *every.sums().lines(), sep="\n")
    return int(bool(every.failures))


def _part(name: str, parser: argparse.ArgumentParser) -> ModuleType:
    try:
        return import_module(f"tests.chaos.{name}.part")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("orchestrator", "stepbench", "tests", "worker"):
            raise
        parser.exit(
            EXIT_MISSING, f"the package {error.name} is not installed: make .venv/.dev-is-set-up puts it into .venv\n"
        )


def _seeds(part: ModuleType, first: int, rounds: int) -> str:
    return f"seed {first}" if hasattr(part, "BY_THE_CLOCK") else f"seeds {first} to {first + rounds - 1}"


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--rounds", type=_at_least_one, help=f"how many of each part; {DEFAULTS} by default")
    parser.add_argument("--seconds", type=_at_least_one, help="how long soak lasts, in place of rounds; 60 by default")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next one has the next, and so on")
    return parser


if __name__ == "__main__":
    sys.exit(main())
