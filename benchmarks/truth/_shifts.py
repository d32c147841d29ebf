"""How far a part moved: the median of paired differences, with an interval that takes nothing for granted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from benchmarks.truth._expected import NEXT, PARTS, Expected
from benchmarks.truth._injecting import Trio

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Shift:
    """Of a part, in milliseconds."""

    part: str
    middle_ms: float
    low_ms: float
    high_ms: float


def shifts(trios: Sequence[Trio]) -> dict[str, Shift]:
    """Of every part of the delayed step, and of the one after it (with NEXT before its name)."""
    found = [shift(part, [trio.delayed[part] - trio.undelayed[part] for trio in trios]) for part in PARTS]
    found += [shift(f"{NEXT}{part}", [trio.following[part] - trio.undelayed[part] for trio in trios]) for part in PARTS]
    return {each.part: each for each in found}


def off_ms(trios: Iterable[Trio], expected: Expected, delay_ns: float) -> Shift:
    """How far the expected part is from what was expected of it."""
    assert expected.part is not None
    part = expected.part.removeprefix(NEXT)
    differences = []
    for trio in trios:
        there = trio.following if expected.part.startswith(NEXT) else trio.delayed
        due = delay_ns - expected.hidden_ns(trio.delayed, trio.following)
        differences.append(there[part] - trio.undelayed[part] - due)
    return shift(expected.part, differences)


def shift(part: str, differences_ns: Sequence[float]) -> Shift:
    low, high = interval(differences_ns)
    return Shift(part, median(differences_ns) / 1e6, low / 1e6, high / 1e6)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Of their median, by the sign test: two of the values themselves. All of them where there are very few."""
    ordered = sorted(values)
    outside = _outside(len(ordered))
    return ordered[outside], ordered[-1 - outside]


def _outside(count: int) -> int:
    """How many values at each end the median lies beyond with no more than 1 - CONFIDENCE."""
    chance, outside = 0.0, 0
    while 2 * (chance + comb(count, outside) / 2**count) <= 1 - CONFIDENCE:
        chance += comb(count, outside) / 2**count
        outside += 1
    return max(0, outside - 1)
