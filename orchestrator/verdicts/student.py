"""Student's distribution for whole degrees of freedom, by its finite series: Abramowitz and Stegun, 26.7.3, 26.7.4."""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt

BISECTIONS = 200


def two_sided(t: float, freedom: int) -> float:
    """The chance of a value at least as far from 0 as `t`, to about 1e-15. Raises ValueError below 1 of freedom."""
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom")
    angle = atan(abs(t) / sqrt(freedom))
    inside = sin(angle) * _series(cos(angle) ** 2, freedom % 2, freedom)
    if freedom % 2:
        inside = 2 / pi * (angle + cos(angle) * inside)
    return min(1.0, max(0.0, 1 - inside))


@lru_cache(maxsize=4096)
def quantile(chance: float, freedom: int) -> float:
    """The `t` with `two_sided(t, freedom)` = `chance`, which lies between 0 and 1."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > chance:
        high *= 2
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > chance else (low, middle)
    return high


def _series(cosine_squared: float, odd: int, freedom: int) -> float:
    """1 + 1/2 c² + 1·3/2·4 c⁴ …, and for odd freedom 1 + 2/3 c² + 2·4/3·5 c⁴ …, as many terms as there are."""
    term, total = 1.0, 0.0
    for number in range((freedom - odd) // 2):
        total += term
        term *= cosine_squared * (2 * number + 1 + odd) / (2 * number + 2 + odd)
    return total
