"""Shapes of a row of rounds that a single middle hides: it drifts, or it has two levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, sqrt
from statistics import NormalDist, median

import numpy as np

from orchestrator.verdicts.rounds import Vector, scale_of

FEWEST_FOR_A_TREND = 5
"""Of fewer, no order is rarer than one in a hundred."""
FEWEST_FOR_LEVELS = 8
TREND_ALPHA = 0.01
TREND_THAT_MATTERS = 0.05
"""Of the middle, from the first round to the last."""
SMALLER_LEVEL_SHARE = 0.2
INSIDE_SHARES = ((15, 0.08), (30, 0.1), (10**9, 0.12))
"""Up to so many rounds: two levels leave less than this share of the spread (sum of squares) inside them. Rounds of one
level leave 0.36 there, and so little in fewer than 2 of 100 tries, as simulation has it for normal noise."""


@dataclass(frozen=True)
class Levels:
    """Two levels, and how many rounds lie on the upper one."""

    lower: float
    upper: float
    on_upper: int


def drift(values: Sequence[float]) -> float | None:
    """By which share the values rise or fall from first to last; null where chance would do as much, or for little.

    Mann's test (1945) for whether, Sen's slope (1968) for how much.
    """
    count = len(values)
    middle = median(values) if values else 0.0
    if count < FEWEST_FOR_A_TREND or middle <= 0 or _trend_p(values) >= TREND_ALPHA:
        return None
    slope = median((values[late] - values[early]) / (late - early) for early, late in combinations(range(count), 2))
    share = slope * (count - 1) / middle
    return share if abs(share) >= TREND_THAT_MATTERS else None


def levels(values: Sequence[float]) -> Levels | None:
    """Where the values lie close to two middles and far from their common one; null where they do not."""
    if len(values) < FEWEST_FOR_LEVELS or scale_of(*values) != "ratio":
        return None
    ordered = np.sort(np.log(np.asarray(values, dtype=float)))
    whole = _squares(ordered)
    fewest = max(2, ceil(SMALLER_LEVEL_SHARE * len(ordered)))
    splits = range(fewest, len(ordered) - fewest + 1)
    at = min(splits, key=lambda split: _squares(ordered[:split]) + _squares(ordered[split:]))
    inside = _squares(ordered[:at]) + _squares(ordered[at:])
    limit = next(share for count, share in INSIDE_SHARES if len(ordered) <= count)
    if whole <= 0 or inside >= limit * whole:
        return None
    lower, upper = (float(np.exp(np.median(side))) for side in (ordered[:at], ordered[at:]))
    return Levels(lower, upper, len(ordered) - at)


def _trend_p(values: Sequence[float]) -> float:
    """Two-sided, by the normal approximation with its correction for continuity."""
    count = len(values)
    score = sum(_sign(late - early) for early, late in combinations(values, 2))
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return 2 * (1 - NormalDist().cdf(max(0, abs(score) - 1) / deviation))


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _squares(values: Vector) -> float:
    return float(((values - values.mean()) ** 2).sum())
