"""A verdict per phase: the same two, in every part that a step has, as one family of comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from orchestrator.verdicts.comparison import ALPHA, Comparison
from orchestrator.verdicts.correction import corrected

Values = TypeVar("Values")
Compare = Callable[[Values, Values, float], Comparison]
"""`comparison.paired` in one experiment, `two_runs.two_experiments` across two, `two_runs.two_runs` for plain runs."""


def by_phase(
    compare: Compare[Values], case: Mapping[str, Values], baseline: Mapping[str, Values], alpha: float = ALPHA
) -> dict[str, Comparison]:
    """By the name of the phase, in the baseline's order; those that only one of the two has cannot be told."""
    names = [*baseline, *(name for name in case if name not in baseline)]
    return corrected({name: _one(compare, name, case, baseline, alpha) for name in names}, alpha)


def _one(
    compare: Compare[Values], name: str, case: Mapping[str, Values], baseline: Mapping[str, Values], alpha: float
) -> Comparison:
    if name in case and name in baseline:
        return compare(case[name], baseline[name], alpha)
    which = "case" if name in case else "baseline"
    return Comparison(verdict="cannot tell", scale="ratio", rounds=0, reason=f"only the {which} has it")
