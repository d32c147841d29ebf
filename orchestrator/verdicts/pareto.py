"""The cases that nobody who wants little of two things need look beyond: small and fast, say."""

from __future__ import annotations

from collections.abc import Mapping, Set

from orchestrator.verdicts.ranking import Pair
from stepbench.samples import Frozen


class Point(Frozen):
    """Less is better in both."""

    time: float
    size: float


def front(points: Mapping[str, Point], faster: Set[Pair] = frozenset()) -> tuple[str, ...]:
    """The cases that no other one dominates, the fastest first.

    One dominates another if it is no worse in either, and better in one of them beyond doubt: sizes are counted, not
    measured, so any difference in size is; one in time is where `faster` has (winner, loser), see `ranking.beaten`.
    """
    kept = [name for name in points if not any(_dominates(other, name, points, faster) for other in points)]
    return tuple(sorted(kept, key=lambda name: (points[name].time, points[name].size)))


def _dominates(one: str, other: str, points: Mapping[str, Point], faster: Set[Pair]) -> bool:
    no_worse = points[one].time <= points[other].time and points[one].size <= points[other].size
    return no_worse and (points[one].size < points[other].size or (one, other) in faster)
