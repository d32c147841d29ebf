"""Figures of a benchmark: values of both arms, a pair for each round, and what is said of them.

The ratio is taken round by round, of two values measured one right after the other, so that a machine that is busy for
a while spoils some pairs and not the comparison. Its median is what a limit is held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Literal


@dataclass(frozen=True)
class Limit:
    """A promise: the median of the ratios (or of our own values) is at most, or at least, `value`."""

    value: float
    of: Literal["ratio", "ours"] = "ratio"
    at_least: bool = False

    def keeps(self, value: float) -> bool:
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True)
class Figure:
    """One row of the table. `theirs` is empty where there is nothing to compare with."""

    name: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float] = ()
    limit: Limit | None = None

    @property
    def ratios(self) -> list[float]:
        if not self.theirs:
            return []
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def within(self) -> bool | None:
        """Whether the limit is kept; null where there is none."""
        return None if self.limit is None else self.limit.keeps(median(self._held))

    @property
    def sure(self) -> bool:
        """The middle half of what the limit is held against lies on one side of it."""
        if self.limit is None:
            return True
        low, high = middle_half(self._held)
        return self.limit.keeps(low) == self.limit.keeps(high)

    @property
    def verdict(self) -> str:
        if self.within is None:
            return ""
        return ("within" if self.within else "over") + ("" if self.sure else ", unsure")

    @property
    def _held(self) -> Sequence[float]:
        return self.ratios if self.limit is not None and self.limit.of == "ratio" else self.ours

    def as_json(self) -> dict[str, Any]:
        return {
            "figure": self.name,
            "unit": self.unit,
            "ours": list(self.ours),
            "theirs": list(self.theirs),
            "ours_median": median(self.ours),
            "theirs_median": median(self.theirs) if self.theirs else None,
            "ratios": self.ratios,
            "ratio_median": median(self.ratios) if self.ratios else None,
            "limit": self.limit and {"value": self.limit.value, "of": self.limit.of, "at_least": self.limit.at_least},
            "within": self.within,
            "sure": self.sure,
        }


def middle_half(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile: half of the values lie between them."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high
