"""One number per round, and what two cases differ by in the rounds that both have."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from typing import Any, Literal

import numpy as np

ByRound = Mapping[int, float]
"""A quantity of one case by the number of the round. A round in which the case failed is not there."""
Vector = np.ndarray[Any, np.dtype[np.float64]]
Scale = Literal["ratio", "difference"]
"""Times and sizes differ by a factor. Quantities that are 0 or below in some round (a phase that does nothing, transit)
have no factor, and are compared by what one has more than the other, in their own unit."""
DIGITS = 12
"""Of a logarithm. What differs further behind differs by rounding, and not by anything that was measured."""


def common_rounds(case: ByRound, baseline: ByRound) -> list[int]:
    """In order, those in which both have a number."""
    return sorted(case.keys() & baseline.keys())


def scale_of(*values: float) -> Scale:
    return "ratio" if min(values, default=1.0) > 0 else "difference"


def apart(case: ByRound, baseline: ByRound) -> tuple[Vector, Scale]:
    """By how much the case has more in each common round: logarithms of ratios, or differences."""
    rounds = common_rounds(case, baseline)
    ours, theirs = (np.array([values[number] for number in rounds], dtype=float) for values in (case, baseline))
    scale = scale_of(*ours, *theirs)
    return (np.round(np.log(ours) - np.log(theirs), DIGITS) if scale == "ratio" else ours - theirs), scale


def on_scale(value: float, scale: Scale) -> float:
    """What a person reads: a ratio in place of its logarithm."""
    return exp(min(max(value, -LARGEST_LOGARITHM), LARGEST_LOGARITHM)) if scale == "ratio" else value


def from_scale(value: float, scale: Scale) -> float:
    return log(value) if scale == "ratio" else value


LARGEST_LOGARITHM = 700.0
"""Beyond it there is no such float, nor one so close to 0."""
