"""`--fail-if-slower 5%`: whether a limit on slowness is broken, kept, or neither can be said."""

from __future__ import annotations

from typing import Literal

from orchestrator.verdicts.comparison import Comparison
from stepbench.samples import Frozen

Outcome = Literal["slower", "within", "undecided", "cannot tell"]


class Gate(Frozen):
    outcome: Outcome
    sentence: str

    @property
    def fails(self) -> bool:
        """Only what is shown fails: a build must not break because a machine was noisy."""
        return self.outcome == "slower"


def gate(comparison: Comparison, limit: float) -> Gate:
    """Holds the interval of case over baseline against 1 + `limit` (5 %: 0.05).

    `slower`: all of it lies above; a case that is slower by the limit or less is called so once in 2 / alpha at most.
    `within`: all of it lies at the limit or below. `undecided`: the limit is inside it. A case that is slower by only a
    little more than the limit is mostly undecided: to catch 5 %, allow 2 %.
    """
    interval = comparison.interval
    if interval is None or comparison.scale != "ratio":
        return Gate(outcome="cannot tell", sentence=_no_ratio(comparison))
    at_most = 1 + limit
    allowed = f"and the limit is {_percent(limit)}"
    if interval.low > at_most:
        by = f"{_percent(interval.low - 1)} to {_percent(interval.high - 1)}"
        return Gate(outcome="slower", sentence=f"slower than allowed: by {by}, {allowed}")
    told = f"{_from_one(interval.low)} to {_from_one(interval.high)}, {allowed}"
    if interval.high <= at_most:
        return Gate(outcome="within", sentence=f"within the limit: {told}")
    return Gate(outcome="undecided", sentence=f"undecided: {told}; more rounds would tell")


def _no_ratio(comparison: Comparison) -> str:
    if comparison.reason is not None:
        return f"cannot tell: {comparison.reason}"
    return "cannot tell: a value of 0 or below has no ratio that a percentage could be held against"


def _from_one(ratio: float) -> str:
    return f"{_percent(abs(ratio - 1))} {'faster' if ratio < 1 else 'slower'}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
