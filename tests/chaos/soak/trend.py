"""Whether a figure that was read again and again grows: its slope by least squares, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

WARM_UP_SHARE = 0.25
"""Of the time: caches fill, pools grow to their size. What was read in it is left out."""
SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True)
class Trend:
    """In the unit of what was read."""

    per_hour: float
    error_per_hour: float
    """Standard error of the slope."""
    least: float
    most: float
    last: float


def trend(readings: Sequence[tuple[float, float]]) -> Trend:
    """`readings`: (seconds, value), in the order of time. Raises ValueError for fewer than 3 after the warm-up."""
    begin, end = readings[0][0], readings[-1][0]
    kept = [(at, value) for at, value in readings if at >= begin + WARM_UP_SHARE * (end - begin)]
    if len(kept) < 3:
        raise ValueError(f"a slope of {len(kept)} readings says nothing")
    slope, error = _line(kept)
    values = [value for _, value in kept]
    return Trend(slope * SECONDS_PER_HOUR, error * SECONDS_PER_HOUR, min(values), max(values), values[-1])


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope of the line with the least squares, and its standard error."""
    count = len(points)
    mean_x, mean_y = (sum(axis) / count for axis in zip(*points, strict=True))
    spread_x = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread_x
    residuals = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope, sqrt(residuals / (count - 2) / spread_x)
