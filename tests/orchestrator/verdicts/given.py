"""Rounds to compare, made up."""

from __future__ import annotations

from math import isclose

import numpy as np
from hypothesis import strategies as st

from orchestrator.verdicts.rounds import ByRound

NANOSECONDS = st.integers(1, 10**13)
ROUNDS = st.dictionaries(st.integers(1, 30), NANOSECONDS, max_size=20)
"""Any rounds, some missing; whole numbers, as what is measured is."""
ANYTHING = st.dictionaries(st.integers(1, 30), st.integers(-(10**13), 10**13), max_size=20)
"""Zeros and negative ones too, as transit may be."""


def noisy(middle: float, rounds: int = 10, spread: float = 0.02, seed: int = 1) -> dict[int, float]:
    """A case with so many rounds around its middle."""
    factors = np.random.default_rng(seed).normal(0, spread, rounds)
    return {number: float(middle * np.exp(factor)) for number, factor in enumerate(factors, 1)}


def times(values: ByRound, factor: float) -> dict[int, float]:
    return {number: value * factor for number, value in values.items()}


def close(one: float | None, other: float | None, absolute: float = 1e-11) -> bool:
    """As near as floating point has them, or both absent."""
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=1e-6, abs_tol=absolute)
