"""Other ways to an interval from some rounds, to hold ours against: whether each calls a difference at `alpha`."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np

from orchestrator.verdicts.location import draws, located
from orchestrator.verdicts.rounds import Vector
from orchestrator.verdicts.student import quantile

Calls = Callable[[Vector, float], bool]
NORMAL = NormalDist()


def ours(apart: Vector, alpha: float) -> bool:
    return located(apart).p < alpha


def percentile_of_medians(apart: Vector, alpha: float) -> bool:
    return _leaves_out_zero(np.median(apart[draws(len(apart))], axis=1), alpha / 2, 1 - alpha / 2)


def percentile_of_means(apart: Vector, alpha: float) -> bool:
    return _leaves_out_zero(apart[draws(len(apart))].mean(axis=1), alpha / 2, 1 - alpha / 2)


def bca_of_means(apart: Vector, alpha: float) -> bool:
    """Bias-corrected and accelerated: Efron (1987)."""
    means = apart[draws(len(apart))].mean(axis=1)
    bias = NORMAL.inv_cdf(float(np.clip((means < apart.mean()).mean(), 1e-4, 1 - 1e-4)))
    without = (apart.sum() - apart) / (len(apart) - 1)
    off = without.mean() - without
    squares = float((off**2).sum())
    acceleration = float((off**3).sum()) / (6 * squares**1.5) if squares else 0.0

    def level(chance: float) -> float:
        z = bias + NORMAL.inv_cdf(chance)
        return NORMAL.cdf(bias + z / (1 - acceleration * z))

    return _leaves_out_zero(means, level(alpha / 2), level(1 - alpha / 2))


def bootstrap_t(apart: Vector, alpha: float) -> bool:
    """Symmetric, of the mean: Hall (1988)."""
    resamples = apart[draws(len(apart))]
    errors = resamples.std(axis=1, ddof=1) / sqrt(len(apart))
    distances = np.abs(resamples.mean(axis=1) - apart.mean())
    ratios = np.sort(np.divide(distances, errors, out=np.full_like(errors, np.inf), where=errors > 0))
    limit = ratios[min(len(ratios), ceil((1 - alpha) * (len(ratios) + 1))) - 1]
    error = float(apart.std(ddof=1)) / sqrt(len(apart))
    return bool(error > 0 and np.isfinite(limit) and abs(apart.mean()) > limit * error)


def students_t(apart: Vector, alpha: float) -> bool:
    error = float(apart.std(ddof=1)) / sqrt(len(apart))
    return abs(float(apart.mean())) > quantile(alpha, len(apart) - 1) * error


METHODS: dict[str, Calls] = {
    "ours": ours,
    "pct median": percentile_of_medians,
    "pct mean": percentile_of_means,
    "BCa mean": bca_of_means,
    "boot-t mean": bootstrap_t,
    "Student": students_t,
}


def _leaves_out_zero(resampled: Vector, low: float, high: float) -> bool:
    below, above = np.quantile(resampled, [low, high])
    return bool(below > 0 or above < 0)
