"""Simulated noise of every kind: how often a case is called different from itself, and a real difference is seen.

As the truth only shifts what is simulated, the first is also how often an interval misses the truth.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.truth import Row
from benchmarks.truth._bounds import upper
from benchmarks.truth._noise import NOISES, Noise
from benchmarks.truth._rivals import METHODS, Calls
from orchestrator.verdicts.comparison import ALPHA, paired
from orchestrator.verdicts.correction import corrected
from orchestrator.verdicts.rounds import Vector

TRIES = 1_000
ROUNDS = (3, 5, 10, 20)
SHIFT = 0.07
"""Of a logarithm: the case is 7 % slower."""
LIMIT = 0.05
CASES = 16
FAMILIES = 300
SEED = 1
NOTES = (
    f"Of {TRIES} simulated comparisons each, at the nominal {ALPHA:.0%}; in brackets a case that is 7 % slower, found.",
    f"{CASES} cases against one baseline: of {FAMILIES} experiments, those with any call after Holm's steps.",
)


def run(rounds: int | None) -> list[Row]:
    """`rounds`: that number of rounds alone."""
    counts = (rounds,) if rounds else ROUNDS
    return [row for count in counts for row in _rows(count)]


def _rows(count: int) -> list[Row]:
    rows = []
    for name, noise in NOISES.items():
        told = {method: _rate(noise, count, calls, 0.0) for method, calls in METHODS.items()}
        found = {method: _rate(noise, count, calls, SHIFT) for method, calls in METHODS.items()}
        figure = "; ".join(f"{method} {_percent(told[method])} ({found[method]:.0%})" for method in METHODS)
        holds = upper(round(told["ours"] * TRIES), TRIES) <= LIMIT
        rows.append(Row(f"{count} rounds, {name}", figure, f"ours: at most {LIMIT:.0%}", holds))
    return [*rows, _family(count)]


def _rate(noise: Noise, count: int, calls: Calls, shift: float) -> float:
    """Every method sees the same noise."""
    chance = np.random.default_rng(SEED)
    return sum(calls(_apart(noise(chance, count)) + shift, ALPHA) for _ in range(TRIES)) / TRIES


def _apart(logarithms: Vector) -> Vector:
    difference: Vector = logarithms[:, 0] - logarithms[:, 1]
    return difference


def _family(count: int) -> Row:
    """Normal noise, as the others hold their rate by a margin."""
    chance = np.random.default_rng(SEED)
    hits = sum(_any_called(chance, count) for _ in range(FAMILIES))
    bound = upper(hits, FAMILIES)
    figure = f"{_percent(hits / FAMILIES)}, upper bound {_percent(bound)}"
    return Row(f"{count} rounds, {CASES} cases at once", figure, f"bound at most {LIMIT:.0%}", bound <= LIMIT)


def _any_called(chance: np.random.Generator, count: int) -> bool:
    times = np.exp(chance.normal(0, 0.05, (CASES + 1, count)))
    baseline, *cases = (dict(enumerate(map(float, row))) for row in times)
    against = partial(paired, baseline=baseline)
    found = corrected({f"{number}": against(case) for number, case in enumerate(cases)})
    return any(each.verdict != "no difference seen" for each in found.values())


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
