"""How high a rate may really be of which so many cases were seen: Clopper and Pearson (1934)."""

from __future__ import annotations

from math import exp, lgamma, log

BISECTIONS = 60


def upper(hits: int, tries: int, confidence: float = 0.95) -> float:
    """One-sided: the rate at which `hits` or fewer would come about with 1 - `confidence`."""
    if hits >= tries:
        return 1.0
    low, high = hits / tries, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(hits, tries, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(hits: int, tries: int, rate: float) -> float:
    """The chance of so few."""
    if rate <= 0:
        return 1.0
    return sum(exp(_log_choose(tries, k) + k * log(rate) + (tries - k) * log(1 - rate)) for k in range(hits + 1))


def _log_choose(tries: int, hits: int) -> float:
    return lgamma(tries + 1) - lgamma(hits + 1) - lgamma(tries - hits + 1)
