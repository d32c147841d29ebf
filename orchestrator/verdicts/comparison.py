"""A case against the baseline, round by round: by how much, how sure, and what could have been seen at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from orchestrator.verdicts.effect import Effect, cliffs_delta
from orchestrator.verdicts.location import FEWEST_ROUNDS, Located, located
from orchestrator.verdicts.rounds import ByRound, Scale, apart, common_rounds, from_scale, on_scale
from stepbench.samples import Frozen

ALPHA = 0.01
"""How often a case is called different from itself."""
MISSED = 0.1
"""How often a difference of the detectable size is not called."""
Verdict = Literal["less", "more", "no difference seen", "cannot tell"]


class Interval(Frozen):
    """Bounds in the scale of the comparison. They miss the truth once in 1 / `alpha`."""

    low: float
    high: float
    alpha: float


class Comparison(Frozen):
    """What can be said of a case and its baseline in one quantity. Absent figures are null, and `reason` says why."""

    verdict: Verdict
    """What the case needs of the quantity: of a time, `less` is faster."""
    scale: Scale
    rounds: int
    """In how many both were measured."""
    estimate: float | None = None
    """Case over baseline, or case less baseline where there is no ratio."""
    interval: Interval | None = None
    p: float | None = None
    """Called is what has p < alpha; corrected for the number of comparisons once `correction.corrected` was at it."""
    detectable: float | None = None
    """The ratio (above 1) or difference that would have been called in nine of ten such experiments."""
    effect: Effect | None = None
    error: float | None = None
    """Standard error of the estimate: of its logarithm, where it is a ratio."""
    freedom: int | None = None
    reason: str | None = None

    @property
    def located(self) -> Located | None:
        """The estimate on the scale on which it was made; null where there is none."""
        if self.estimate is None or self.error is None or self.freedom is None:
            return None
        return Located(from_scale(self.estimate, self.scale), self.error, self.freedom)


def paired(case: ByRound, baseline: ByRound, alpha: float = ALPHA) -> Comparison:
    """Of the rounds that both have. What befell a whole round, drift included, is in neither side of it alone.

    The estimate is the trimmed mean of the rounds' log ratios, taken back to a ratio: swapped sides give its inverse,
    and a round that went wrong does not carry it away. The ratio of the two medians would take the one from one round
    and the other from another, and lose what the pairing won.
    """
    rounds = common_rounds(case, baseline)
    values, scale = apart(case, baseline)
    if len(rounds) < FEWEST_ROUNDS:
        return _too_few(case, baseline, rounds, scale)
    effect = cliffs_delta([case[number] for number in rounds], [baseline[number] for number in rounds])
    return made(located(values), scale, len(rounds), effect, alpha)


def made(found: Located, scale: Scale, rounds: int, effect: Effect, alpha: float) -> Comparison:
    """A comparison from its figures."""
    return Comparison(
        verdict=verdict_of(found, called=found.p < alpha),
        scale=scale,
        rounds=rounds,
        estimate=on_scale(found.middle, scale),
        interval=interval_of(found, scale, alpha),
        p=found.p,
        detectable=on_scale(found.detectable(alpha, MISSED), scale),
        effect=effect,
        error=found.error,
        freedom=found.freedom,
    )


def verdict_of(found: Located, *, called: bool) -> Verdict:
    if not called:
        return "no difference seen"
    return "more" if found.middle > 0 else "less"


def interval_of(found: Located, scale: Scale, alpha: float) -> Interval:
    half = found.half_width(alpha)
    return Interval(low=on_scale(found.middle - half, scale), high=on_scale(found.middle + half, scale), alpha=alpha)


def _too_few(case: ByRound, baseline: ByRound, rounds: Sequence[int], scale: Scale) -> Comparison:
    """Of one or two rounds there is an estimate, and nothing that says how sure it is."""
    if not case or not baseline:
        which = "the case" if not case else "the baseline"
        return Comparison(
            verdict="cannot tell", scale=scale, rounds=0, reason=f"{which} has no round that was measured"
        )
    if not rounds:
        reason = "the case and the baseline have no round in common"
        return Comparison(verdict="cannot tell", scale=scale, rounds=0, reason=reason)
    values, scale = apart(case, baseline)
    return Comparison(
        verdict="cannot tell",
        scale=scale,
        rounds=len(rounds),
        estimate=on_scale(float(values.mean()), scale),
        reason=few_words(len(rounds), "round"),
    )


def few_words(count: int, noun: str) -> str:
    """Why there is an estimate and no interval."""
    return f"{count} {noun}{'s' if count > 1 else ''} cannot tell how sure this is; {FEWEST_ROUNDS} or more can"
