"""Comparisons of a case with itself, as many as are wanted, from rounds that were measured.

Each is of consecutive rounds, so that drift is in it as it was, and takes two of the arms of each round: rounds stay
whole, with what befell them. Which arm is the case and which the baseline is drawn anew in each round, as an experiment
draws the order in which it runs its cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from statistics import median

import numpy as np

from benchmarks.truth import _rounds_file
from benchmarks.truth._rounds_file import Measured, Round
from orchestrator.verdicts import USUAL_ROUNDS
from orchestrator.verdicts.comparison import paired
from orchestrator.verdicts.location import located
from orchestrator.verdicts.rounds import ByRound, apart
from orchestrator.verdicts.student import quantile

SEED = 1
Pair = tuple[ByRound, ByRound]
MOST_ROUNDS = 5_000


@cache
def rounds_to_use(rounds: int | None) -> Measured:
    """Those that are kept, or so many of this machine, now; measured once, whichever parts ask for them."""
    if rounds is None:
        return _rounds_file.read()
    if rounds < USUAL_ROUNDS:
        raise SystemExit(
            f"--rounds {rounds} are fewer than the {USUAL_ROUNDS} of one comparison; give {2 * USUAL_ROUNDS} or more"
        )
    from benchmarks.truth._measuring import measured

    return measured(rounds)


def medians(rounds: Sequence[Round], quantity: str) -> list[list[float]]:
    """Of the steps of each arm, by round."""
    return [[float(median(arm[quantity])) for arm in each.arms] for each in rounds]


def pairs(values: Sequence[Sequence[float]], repeats: int, count: int) -> Iterator[Pair]:
    """`count` comparisons of `repeats` rounds, of which there are at least as many."""
    chance = np.random.default_rng(SEED)
    for _ in range(count):
        first = int(chance.integers(0, len(values) - repeats + 1))
        taken = [chance.choice(arms, 2, replace=False) for arms in values[first : first + repeats]]
        case, baseline = ({number: float(arms[side]) for number, arms in enumerate(taken)} for side in (0, 1))
        yield case, baseline


def share_found(values: Sequence[Sequence[float]], repeats: int, factor: float, count: int) -> float:
    """Of comparisons with a case that takes `factor` times as long, those that call it slower."""
    slower = _times(factor)
    found = [paired(slower(case), baseline).verdict for case, baseline in pairs(values, repeats, count)]
    return found.count("more") / count


def rounds_needed(values: Sequence[Sequence[float]], factor: float, alpha: float, missed: float) -> int | None:
    """By the standard error of all rounds together, were there more of them; null where that is beyond MOST_ROUNDS."""
    errors = [located(apart(*pair)[0]).error for pair in pairs(values, len(values), 20)]
    of_one_round = median(errors) * len(values) ** 0.5
    return next(
        (count for count in range(3, MOST_ROUNDS) if _reach(count, alpha, missed) * of_one_round <= np.log(factor)),
        None,
    )


def _reach(count: int, alpha: float, missed: float) -> float:
    """How many times the error of one round away a difference is seen."""
    return float((quantile(alpha, count - 1) + quantile(2 * missed, count - 1)) / count**0.5)


def _times(factor: float) -> Callable[[ByRound], ByRound]:
    return lambda case: {number: value * factor for number, value in case.items()}
