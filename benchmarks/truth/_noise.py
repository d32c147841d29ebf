"""What machines do to times, in the extreme: logarithms of what two runs of one case took, by round.

The two columns are exchangeable in each round, as a random order within the round makes them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from orchestrator.verdicts.rounds import Vector

Generator = np.random.Generator
Noise = Callable[[Generator, int], Vector]
UPPER_LEVEL = 0.15
KEEPS = 0.9
"""Of what a run was off by, for the next run on a machine that drifts."""


def _normal(chance: Generator, rounds: int) -> Vector:
    return chance.normal(0, 0.05, (rounds, 2))


def _heavy_tails(chance: Generator, rounds: int) -> Vector:
    return 0.04 * chance.standard_t(2, (rounds, 2))


def _skewed(chance: Generator, rounds: int) -> Vector:
    """Nothing is ever much faster than usual, and some runs are very much slower."""
    return np.log1p(0.05 * chance.pareto(1.5, (rounds, 2)))


def _drift(chance: Generator, rounds: int) -> Vector:
    """Each run is much like the one before, and all become slower by half from first to last."""
    shocks = chance.normal(0, 0.05, rounds * 2)
    off = np.linspace(0, 0.4, rounds * 2)
    for number in range(1, len(shocks)):
        shocks[number] += KEEPS * shocks[number - 1]
    return chance.permuted((off + shocks).reshape(rounds, 2), axis=1)


def _two_levels(chance: Generator, rounds: int) -> Vector:
    levels = UPPER_LEVEL * (chance.random((rounds, 2)) < 0.3)
    return levels + chance.normal(0, 0.01, (rounds, 2))


def _uneven(chance: Generator, rounds: int) -> Vector:
    """Quiet rounds and loud ones."""
    return chance.normal(0, 1, (rounds, 2)) * np.exp(chance.normal(-3.5, 1, (rounds, 1)))


def _spoilt(chance: Generator, rounds: int) -> Vector:
    """One run in ten meets a neighbour."""
    return chance.normal(0, 1, (rounds, 2)) * np.where(chance.random((rounds, 2)) < 0.1, 0.3, 0.02)


def _whole_milliseconds(chance: Generator, rounds: int) -> Vector:
    """A queue wait of some milliseconds, as SQS stamps it."""
    return np.log(np.maximum(1, np.round(chance.normal(2, 0.5, (rounds, 2)))))


NOISES: dict[str, Noise] = {
    "normal": _normal,
    "heavy tails": _heavy_tails,
    "skewed": _skewed,
    "drift": _drift,
    "two levels": _two_levels,
    "uneven": _uneven,
    "spoilt rounds": _spoilt,
    "whole ms": _whole_milliseconds,
}
