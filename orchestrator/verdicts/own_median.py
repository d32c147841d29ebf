"""A case's own median over its rounds, and within what it is known: what `--until-stable` waits for."""

from __future__ import annotations

from math import sqrt

import numpy as np

from orchestrator.verdicts.comparison import ALPHA, Interval, few_words, interval_of
from orchestrator.verdicts.location import FEWEST_ROUNDS, Located, draws
from orchestrator.verdicts.rounds import ByRound, Vector, scale_of
from stepbench.samples import Frozen


class OwnMedian(Frozen):
    """Null is what these rounds cannot tell; `reason` says why."""

    rounds: int
    median: float | None = None
    interval: Interval | None = None
    relative_width: float | None = None
    """The interval's whole width over the median; null also where the median is 0 or below."""
    reason: str | None = None


def own_median(values: ByRound, alpha: float = ALPHA) -> OwnMedian:
    """Median and interval. Drift is in the interval: it says how the case fared, not how it compares."""
    if not values:
        return OwnMedian(rounds=0, reason="no round was measured")
    data = np.array([values[number] for number in sorted(values)], dtype=float)
    median = float(np.median(data))
    if len(data) < FEWEST_ROUNDS:
        return OwnMedian(rounds=len(data), median=median, reason=few_words(len(data), "round"))
    interval = _interval(data, alpha)
    width = (interval.high - interval.low) / median if median > 0 else None
    return OwnMedian(rounds=len(data), median=median, interval=interval, relative_width=width)


def _interval(data: Vector, alpha: float) -> Interval:
    """Times spread by factors, so where there are logarithms, the interval is made with them."""
    scale = scale_of(*data)
    values = np.log(data) if scale == "ratio" else data
    found = Located(float(np.median(values)), _error(values), len(values) - 1)
    return interval_of(found, scale, alpha)


def _error(values: Vector) -> float:
    """Of the median, by a bootstrap on rounds. Its tails are Student's, for the reason told in `location`."""
    if np.ptp(values) == 0:
        return 0.0
    medians = np.median(values[draws(len(values))], axis=1)
    return float(medians.std() * sqrt(len(values) / (len(values) - 1)))
