"""Experiments that end by themselves, once they see 5 %: how many rounds each of them takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from benchmarks.truth._resampling import Experiment, experiments, medians, most_rounds, rounds_taken, rounds_to_use
from benchmarks.truth._rounds_file import CPU, Round


@dataclass(frozen=True)
class Ended:
    """One experiment and its number of rounds."""

    experiment: Experiment
    rounds: int


@cache
def ended(rounds: int | None) -> list[Ended]:
    """All of them, for A/A and A/B."""
    measured = rounds_to_use(rounds).rounds
    of, most = walls(measured), most_rounds(measured)
    return [Ended(each, rounds_taken(each, of, most)) for each in experiments(measured)]


def walls(rounds: Sequence[Round]) -> dict[str, list[list[float]]]:
    """Medians of the step and of its phases, which decide when an experiment ends."""
    return {name: medians(rounds, name) for name in rounds[0].arms[0] if not name.startswith(CPU)}


def span(rounds: Iterable[int]) -> str:
    """`31 to 125 rounds, 60 in the middle`."""
    numbers = sorted(rounds)
    return f"{numbers[0]} to {numbers[-1]} rounds, {median(numbers):g} in the middle"
