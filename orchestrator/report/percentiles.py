"""Percentiles by linear interpolation between the two nearest values (numpy's default), and rates.

Always over samples, never over percentiles of groups of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.report.summary import Spread

MEANINGFUL_DURATION_NS = 20_000
"""A call that does nothing takes some microseconds; bytes over so short a time are no rate."""
MEANINGFUL_MB_PER_SECOND = 100_000
"""Beyond what memory can move: the bytes were not touched (Arrow's deserialize, compression none)."""


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """The value below which `fraction` (0 to 1) of the `ordered` values lie. Raises ValueError for no values."""
    if not ordered:
        raise ValueError("a percentile of no values")
    position = (len(ordered) - 1) * fraction
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def spread(values: Iterable[int]) -> Spread:
    """p50, p95 and maximum, rounded to whole units. Raises ValueError for no values."""
    ordered = sorted(values)
    p50, p95 = (round(percentile(ordered, fraction)) for fraction in (0.5, 0.95))
    return Spread(count=len(ordered), p50=p50, p95=p95, max=ordered[-1])


def spread_or_none(values: Iterable[int]) -> Spread | None:
    """As `spread`, but None for no values."""
    given = list(values)
    return spread(given) if given else None


def median_mb_per_second(pairs: Iterable[tuple[int, int]]) -> float | None:
    """Median of bytes over nanoseconds, in MB/s; None where most durations say nothing about the bytes."""
    given = list(pairs)
    rates = sorted(moved / duration_ns * 1e3 for moved, duration_ns in given if _meaningful(moved, duration_ns))
    return round(percentile(rates, 0.5), 3) if len(rates) * 2 > len(given) else None


def _meaningful(moved_bytes: int, duration_ns: int) -> bool:
    return (
        moved_bytes > 0
        and duration_ns >= MEANINGFUL_DURATION_NS
        and moved_bytes / duration_ns * 1e3 <= MEANINGFUL_MB_PER_SECOND
    )
