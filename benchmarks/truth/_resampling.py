"""Experiments of a case with itself, as many as are wanted, from rounds that were measured.

Each is of consecutive rounds, so that drift is in it as it was, and takes two of the arms of each round: rounds stay
whole, with what befell them. Which arm is the case and which the baseline is drawn anew in each round, as an experiment
draws the order in which it runs its cases. After the last measured round comes the first one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

import numpy as np

from benchmarks.truth import _rounds_file
from benchmarks.truth._rounds_file import Measured, Round
from orchestrator.experiment import contrasts
from orchestrator.verdicts import ENOUGH_ROUNDS, MOST_ROUNDS, TO_SEE, enough
from orchestrator.verdicts.comparison import paired
from orchestrator.verdicts.rounds import ByRound

SEED = 1
EXPERIMENTS = 2_000
CASE, BASELINE = "case", "baseline"
TOTAL = "total"
Pair = tuple[ByRound, ByRound]


@cache
def rounds_to_use(rounds: int | None) -> Measured:
    """Those that are kept, or so many of this machine, now; measured once, whichever parts ask for them."""
    if rounds is None:
        return _rounds_file.read()
    if rounds < 2 * ENOUGH_ROUNDS:
        raise SystemExit(f"--rounds {rounds} are too few to tell anything from; give {2 * ENOUGH_ROUNDS} or more")
    from benchmarks.truth._measuring import measured

    return measured(rounds)


@dataclass(frozen=True)
class Experiment:
    """Rounds in order: for each the place of its arms that are the case and the baseline."""

    first: int
    sides: np.ndarray[tuple[int, int], np.dtype[np.intp]]

    def values(self, medians: Sequence[Sequence[float]], rounds: int) -> Pair:
        """Of its first `rounds`; the case's and the baseline's."""
        numbers = [(self.first + number) % len(medians) for number in range(rounds)]
        case, baseline = (
            {number + 1: medians[place][self.sides[number, side]] for number, place in enumerate(numbers)}
            for side in (0, 1)
        )
        return case, baseline


def experiments(rounds: Sequence[Round], count: int = EXPERIMENTS) -> Iterator[Experiment]:
    """Each as long as one may be, or as there are rounds."""
    chance = np.random.default_rng(SEED)
    arms = len(rounds[0].arms)
    for _ in range(count):
        first = int(chance.integers(0, len(rounds)))
        sides = chance.permuted(np.tile(np.arange(arms), (most_rounds(rounds), 1)), axis=1)[:, :2]
        yield Experiment(first, sides)


def most_rounds(rounds: Sequence[Round]) -> int:
    return min(MOST_ROUNDS, len(rounds))


def medians(rounds: Sequence[Round], quantity: str) -> list[list[float]]:
    """Of the steps of each arm, by round."""
    return [[float(median(arm[quantity])) for arm in each.arms] for each in rounds]


def rounds_taken(experiment: Experiment, of: Mapping[str, Sequence[Sequence[float]]], most: int) -> int:
    """How many an experiment measures before it ends by itself; `of` are medians by quantity.

    A slowness of one arm changes nothing in that: it moves all ratios alike, and they end by their spread.
    """
    for rounds in enough.looks(most):
        values = {quantity: experiment.values(found, rounds) for quantity, found in of.items()}
        figures = {
            name: {number: _run(values, side, number) for number in range(1, rounds + 1)}
            for side, name in enumerate((CASE, BASELINE))
        }
        if not any(contrasts.unseen(figures, BASELINE, TO_SEE, {CASE})):
            return rounds
    return most


@dataclass(frozen=True)
class Run:
    """What a rule on rounds looks at."""

    step_ns: float
    parts_ns: Mapping[str, float]


def _run(values: Mapping[str, Pair], side: int, number: int) -> Run:
    of = {quantity: pair[side][number] for quantity, pair in values.items()}
    return Run(step_ns=of.pop(TOTAL), parts_ns=of)


def verdict(pair: Pair, slower: float = 1.0) -> str:
    """On a case that takes `slower` times as long."""
    case, baseline = pair
    return paired({number: value * slower for number, value in case.items()}, baseline).verdict
