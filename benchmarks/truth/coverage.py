"""Simulated noise of every kind: how often a case is called different from itself, and a real difference is seen.

As the truth only shifts what is simulated, the first is also how often an interval misses the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.truth import Row
from benchmarks.truth._bounds import upper
from benchmarks.truth._noise import NOISES, Noise
from benchmarks.truth._rivals import METHODS, Calls
from orchestrator.verdicts.comparison import ALPHA, paired
from orchestrator.verdicts.correction import corrected
from orchestrator.verdicts.own_median import own_median
from orchestrator.verdicts.rounds import Vector

TRIES = 1_000
ROUNDS = (3, 5, 10, 20)
SHIFT = 0.07
"""Of a logarithm: the case is 7 % slower."""
LIMIT = 0.05
CASES = 16
EVEN = ("normal", "heavy tails", "uneven", "spoilt rounds")
FAMILIES = 300
SEED = 1
COLUMN = 13
NOTES = (
    f"Percent of {TRIES} simulated comparisons, called different where nothing is, at the nominal {ALPHA:.0%}.",
    "In brackets: where the case is 7 % slower.",
    f"Own medians: of {TRIES} intervals, those that missed the true median, in noise that is even on both sides.",
    f"{CASES} cases against one baseline: of {FAMILIES} experiments, those with any call after Holm's steps.",
)


def run(rounds: int | None) -> list[Row]:
    """`rounds`: that number of rounds alone."""
    counts = (rounds,) if rounds else ROUNDS
    return [row for count in counts for row in (_heading(count), *_rows(count), _own(count), _family(count))]


def _heading(count: int) -> Row:
    return Row(f"{count} rounds", "".join(method.rjust(COLUMN) for method in METHODS))


def _rows(count: int) -> Iterator[Row]:
    for name, noise in NOISES.items():
        told = [_rate(noise, count, calls, 0.0) for calls in METHODS.values()]
        found = [_rate(noise, count, calls, SHIFT) for calls in METHODS.values()]
        cells = (f"{one * 100:.1f} ({other * 100:3.0f})" for one, other in zip(told, found, strict=True))
        bound = upper(round(told[0] * TRIES), TRIES)
        figure = "".join(cell.rjust(COLUMN) for cell in cells)
        yield Row(name, figure, f"bound of ours at most {LIMIT:.0%}", bound <= LIMIT)


def _rate(noise: Noise, count: int, calls: Calls, shift: float) -> float:
    """Every method sees the same noise."""
    chance = np.random.default_rng(SEED)
    return sum(calls(_apart(noise(chance, count)) + shift, ALPHA) for _ in range(TRIES)) / TRIES


def _apart(logarithms: Vector) -> Vector:
    difference: Vector = logarithms[:, 0] - logarithms[:, 1]
    return difference


def _own(count: int) -> Row:
    chance = np.random.default_rng(SEED)
    missed = {name: sum(_misses(NOISES[name](chance, count)[:, 0]) for _ in range(TRIES)) for name in EVEN}
    figure = ", ".join(f"{name} {_percent(misses / TRIES)}" for name, misses in missed.items())
    worst = upper(max(missed.values()), TRIES)
    return Row("own medians", figure, f"bounds at most {LIMIT:.0%}", worst <= LIMIT)


def _misses(logarithms: Vector) -> bool:
    """Their true median is 0, and that of the times 1."""
    interval = own_median(dict(enumerate(map(float, np.exp(logarithms))))).interval
    return interval is not None and not interval.low <= 1 <= interval.high


def _family(count: int) -> Row:
    """Normal noise, as the others hold their rate by a margin."""
    chance = np.random.default_rng(SEED)
    hits = sum(_any_called(chance, count) for _ in range(FAMILIES))
    bound = upper(hits, FAMILIES)
    figure = f"{_percent(hits / FAMILIES)}, upper bound {_percent(bound)}"
    return Row(f"{CASES} cases at once", figure, f"bound at most {LIMIT:.0%}", bound <= LIMIT)


def _any_called(chance: np.random.Generator, count: int) -> bool:
    times = np.exp(chance.normal(0, 0.05, (CASES + 1, count)))
    baseline, *cases = (dict(enumerate(map(float, row))) for row in times)
    against = partial(paired, baseline=baseline)
    found = corrected({f"{number}": against(case) for number, case in enumerate(cases)})
    return any(each.verdict != "no difference seen" for each in found.values())


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
