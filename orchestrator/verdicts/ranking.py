"""Which cases are best in a quantity, as far as these rounds can tell.

A case's rank is a range: above it stand the cases that are shown to need less, below it those shown to need more, and
whichever cannot be told apart from it may stand on either side. So the first rank belongs to every case that none is
shown to beat. Ranges of two cases that are not told apart always overlap. Single numbers could not be had: of three
cases in a row the middle one may be told apart from neither end, and the ends from each other. (Ranges from pairwise
differences: Mogstad, Romano, Shaikh and Wilhelm, 2024.)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from statistics import median

from orchestrator.verdicts.comparison import ALPHA, Comparison, paired
from orchestrator.verdicts.correction import corrected
from orchestrator.verdicts.rounds import ByRound
from stepbench.samples import Frozen

Pair = tuple[str, str]


class Rank(Frozen):
    """A case among the others. Null where it has no round."""

    case: str
    median: float | None
    best: int | None
    """1 and as many as are shown to need less."""
    worst: int | None
    """The number of ranked cases, less as many as are shown to need more."""
    not_told_apart: tuple[str, ...]


def beaten(cases: Mapping[str, ByRound], alpha: float = ALPHA) -> frozenset[Pair]:
    """Every (winner, loser): the first is shown to need less than the second. All pairs are one family (Holm)."""
    pairs = {f"{number}": pair for number, pair in enumerate(combinations(cases, 2))}
    found = corrected({key: paired(cases[ours], cases[theirs], alpha) for key, (ours, theirs) in pairs.items()}, alpha)
    return frozenset(_winner_first(pairs[key], each) for key, each in found.items() if each.verdict in {"less", "more"})


def ranked(cases: Mapping[str, ByRound], alpha: float = ALPHA) -> tuple[Rank, ...]:
    """All cases, the best first; those without a round are last."""
    measured = {name: values for name, values in cases.items() if values}
    won = beaten(measured, alpha)
    ranks = [_rank(name, measured, won) for name in measured]
    ranks.sort(key=lambda rank: (rank.best or 0, rank.median or 0.0))
    lost = (Rank(case=name, median=None, best=None, worst=None, not_told_apart=()) for name in cases if not cases[name])
    return (*ranks, *lost)


def _winner_first(pair: Pair, comparison: Comparison) -> Pair:
    return pair if comparison.verdict == "less" else (pair[1], pair[0])


def _rank(name: str, measured: Mapping[str, ByRound], won: frozenset[Pair]) -> Rank:
    better = {winner for winner, loser in won if loser == name}
    worse = {loser for winner, loser in won if winner == name}
    return Rank(
        case=name,
        median=float(median(measured[name].values())),
        best=1 + len(better),
        worst=len(measured) - len(worse),
        not_told_apart=tuple(other for other in measured if other != name and other not in better | worse),
    )
