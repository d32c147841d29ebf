"""A comparison as a sentence."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.verdicts.comparison import Comparison

TIMES_FROM = 2.0
"""From this ratio on, a person says times and not percent."""


def sentence(
    case: str, baseline: str, found: Comparison, *, less: str = "faster", more: str = "slower", unit: str = ""
) -> str:
    """`arrow is 12.0 % faster than json (10.1 % to 13.8 %)`. `less` and `more` fit the quantity: `smaller`, `larger`.

    12 % faster: it needs 12 % less time. Differences that have no ratio are told in `unit`.
    """
    if found.interval is None or found.estimate is None:
        return f"{case} against {baseline}: cannot tell, {found.reason or 'nothing was measured'}"
    say = _ratio if found.scale == "ratio" else _difference(unit)
    if found.verdict == "no difference seen":
        return f"{case} and {baseline}: no difference seen{_could(found, say)}"
    direction = more if found.verdict == "more" else less
    nearer, farther = sorted((found.interval.low, found.interval.high), reverse=found.verdict == "less")
    return f"{case} is {say(found.estimate)} {direction} than {baseline} ({say(nearer)} to {say(farther)})"


def _could(found: Comparison, say: Callable[[float], str]) -> str:
    """Nothing is seen of what is too small for these data, and that is not to be taken for nothing."""
    if found.detectable is None or found.error == 0:
        return ""
    return f"; one of {say(found.detectable)} would have been, nine times in ten"


def _ratio(ratio: float) -> str:
    if ratio >= TIMES_FROM:
        return f"{ratio:.2f} times"
    if 0 < ratio <= 1 / TIMES_FROM:
        return f"{1 / ratio:.2f} times"
    return f"{abs(ratio - 1) * 100:.1f} %"


def _difference(unit: str) -> Callable[[float], str]:
    return lambda amount: f"{abs(amount):.4g}{' ' * bool(unit)}{unit}"
