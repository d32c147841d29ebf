"""Many comparisons at once: one in a hundred is called different from itself by chance, so that of thirty some are.

Holm's steps (1979) hold the chance that any of them is called falsely at `alpha`. The smallest p is held against
alpha / m, the next against alpha / (m - 1), and so on until one is not called. The intervals are those of alpha / m
each (Bonferroni), cut off at "no difference" where Holm's steps called one that these alone would not: so a comparison
is called exactly where its interval leaves no difference outside. All the calls are right at once with the chance
1 - alpha; all the intervals hold their truths at once with 1 - 2 alpha or more.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.verdicts.comparison import ALPHA, MISSED, Comparison, Interval, interval_of, verdict_of
from orchestrator.verdicts.location import Located
from orchestrator.verdicts.rounds import Scale, on_scale


def corrected(comparisons: Mapping[str, Comparison], alpha: float = ALPHA) -> dict[str, Comparison]:
    """The same comparisons as one family. Those that cannot tell stay as they are, and do not count."""
    adjusted = _holm({name: each.p for name, each in comparisons.items() if each.p is not None})
    return {
        name: _as_one_of(each, len(adjusted), adjusted[name], alpha) if name in adjusted else each
        for name, each in comparisons.items()
    }


def _holm(chances: Mapping[str, float]) -> dict[str, float]:
    """Each p as it is to be held against alpha itself: never below one that was held before it."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(chances, key=lambda name: chances[name])):
        highest = max(highest, min(1.0, (len(chances) - place) * chances[name]))
        adjusted[name] = highest
    return adjusted


def _as_one_of(each: Comparison, family: int, p: float, alpha: float) -> Comparison:
    found = each.located
    assert found is not None  # it has a p
    called = p < alpha
    interval = interval_of(found, each.scale, alpha / family)
    return each.model_copy(
        update={
            "verdict": verdict_of(found, called=called),
            "p": p,
            "interval": _agreeing(interval, found, each.scale, called=called),
            "detectable": on_scale(found.detectable(alpha / family, MISSED), each.scale),
        }
    )


def _agreeing(interval: Interval, found: Located, scale: Scale, *, called: bool) -> Interval:
    """On one side of no difference, where one is called."""
    same = no_difference(scale)
    if not called:
        return interval
    if found.middle > 0:
        return interval.model_copy(update={"low": max(interval.low, same)})
    return interval.model_copy(update={"high": min(interval.high, same)})


def no_difference(scale: Scale) -> float:
    return on_scale(0.0, scale)
