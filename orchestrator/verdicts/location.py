"""Where the middle of some rounds lies, and how sure that is, for as few as three of them.

The middle is the 20 % trimmed mean: with ten rounds, the two lowest and the two highest do not count. Its standard
error comes from a bootstrap on rounds, and its tails from Student's distribution. A percentile interval would take the
tails from the bootstrap as well, and ten rounds have no tails to give: it calls a case different from itself several
times as often as it says. So only the width of the bootstrap's own middle is used, which a few spoilt rounds do not
stretch, and which ten rounds do tell. `python -m benchmarks.truth coverage` holds this against its rivals.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import hypot, sqrt

import numpy as np

from orchestrator.verdicts.rounds import Vector
from orchestrator.verdicts.student import quantile, two_sided

FEWEST_ROUNDS = 3
TRIMMED_SHARE = 0.2
"""At each end; Wilcox, Introduction to Robust Estimation and Hypothesis Testing, has this as the usual choice."""
DRAWS = 2_000
SEED = 20_051_124
ONE_SIGMA = (0.158655, 0.841345)
"""Between these quantiles, a normal distribution is two standard deviations wide."""


@dataclass(frozen=True)
class Located:
    """A middle with its standard error, and the degrees of freedom that go with them."""

    middle: float
    error: float
    freedom: int

    @property
    def p(self) -> float:
        """How often a middle at least so far from 0 would come about if 0 were true."""
        if self.error == 0:
            return float(self.middle == 0)
        return two_sided(self.middle / self.error, self.freedom)

    def half_width(self, alpha: float) -> float:
        """Of an interval that misses the truth with the chance `alpha`."""
        return 0.0 if self.error == 0 else quantile(alpha, self.freedom) * self.error

    def detectable(self, alpha: float, missed: float) -> float:
        """The distance from 0 that would be called at `alpha`, but for a share `missed` of such experiments."""
        return 0.0 if self.error == 0 else self.half_width(alpha) + quantile(2 * missed, self.freedom) * self.error


def trimmed_mean(values: Vector) -> Vector:
    """Along the last axis."""
    count = values.shape[-1]
    cut = int(TRIMMED_SHARE * count)
    inner: Vector = np.sort(values, axis=-1)[..., cut : count - cut].mean(axis=-1)
    return inner


def located(values: Vector) -> Located:
    """The middle of at least FEWEST_ROUNDS values."""
    resampled = trimmed_mean(values[draws(len(values))])
    return Located(float(trimmed_mean(values)), _error(values, resampled), len(values) - 1)


def located_apart(ours: Vector, theirs: Vector) -> Located:
    """How far apart the middles of two unpaired sets are. Freedom is the smaller set's: Ibragimov and Müller (2016)."""
    middle = float(trimmed_mean(ours) - trimmed_mean(theirs))
    error = hypot(located(ours).error, located(theirs).error)
    return Located(middle, error, min(len(ours), len(theirs)) - 1)


@lru_cache(maxsize=64)
def draws(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """Which rounds each resample takes; always the same ones, so that the same data give the same interval."""
    return np.random.default_rng(SEED).integers(0, count, (DRAWS, count))


def _error(values: Vector, resampled: Vector) -> float:
    """Half the width of the resamples' middle, made up for the narrowness of resamples of few: Hesterberg (2015)."""
    if np.ptp(values) == 0:
        return 0.0
    low, high = np.quantile(resampled, ONE_SIGMA)
    narrow = sqrt(len(values) / (len(values) - 1))
    # Where most rounds have one value (queue waits in whole milliseconds), the middle has no width: then all count.
    return float((high - low) / 2 * narrow or values.std(ddof=1) / sqrt(len(values)))
