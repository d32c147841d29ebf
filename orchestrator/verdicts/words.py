"""A comparison as a sentence."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.verdicts.comparison import Comparison
from orchestrator.verdicts.rounds import Scale

Form = Callable[[float], str]
TIMES_FROM = 2.0
"""From this ratio on, a person says times and not percent."""


def sentence(
    case: str, baseline: str, found: Comparison, *, less: str = "faster", more: str = "slower", unit: str = ""
) -> str:
    """`arrow is 12.0 % faster than json (10.1 % to 13.8 %)`. `less` and `more` fit the quantity: `smaller`, `larger`.

    12 % faster: it needs 12 % less time. Differences that have no ratio are told in `unit`. The bounds are told as the
    estimate is: in percent or in times, never one in each.
    """
    if found.interval is None or found.estimate is None:
        return f"{case} against {baseline}: cannot tell, {found.reason or 'nothing was measured'}"
    if found.verdict == "no difference seen":
        return f"{case} and {baseline}: no difference seen{_could(found, unit)}"
    say = _saying(found.estimate, found.scale, unit)
    direction = more if found.verdict == "more" else less
    nearer, farther = sorted((found.interval.low, found.interval.high), reverse=found.verdict == "less")
    return f"{case} is {say(found.estimate)} {direction} than {baseline} ({say(nearer)} to {say(farther)})"


def by(ratio: float) -> str:
    """How far a ratio is from 1: `12.0 %`, `3.54 times`."""
    return _form_of(ratio)(ratio)


def _could(found: Comparison, unit: str) -> str:
    """Nothing is seen of what is too small for these data, and that is not to be taken for nothing."""
    if found.detectable is None or found.error == 0:
        return ""
    least = _in_digits(found.detectable, found.scale, unit)
    return f"; a difference of {least} or more would have been found nine times in ten"


def _in_digits(amount: float, scale: Scale, unit: str) -> str:
    """Three significant digits: what could have been found is known no better."""
    if scale != "ratio":
        return f"{_three(abs(amount))}{' ' * bool(unit)}{unit}"
    factor = _factor(amount)
    return f"{_three(factor)} times" if factor >= TIMES_FROM else f"{_three(abs(amount - 1) * 100)} %"


def _three(number: float) -> str:
    """`0.0123`, `1.23`, `12.3`, `1230`: never with an exponent below a million."""
    return f"{float(f'{number:.3g}'):.10g}" if number < 1e6 else f"{number:.3g}"


def _saying(amount: float, scale: Scale, unit: str) -> Form:
    """The form in which `amount` is told, and all that stands beside it."""
    return _form_of(amount) if scale == "ratio" else _in_unit(unit)


def _form_of(ratio: float) -> Form:
    return _in_times if _factor(ratio) >= TIMES_FROM else _in_percent


def _in_times(ratio: float) -> str:
    return f"{_factor(ratio):.2f} times"


def _in_percent(ratio: float) -> str:
    return f"{abs(ratio - 1) * 100:.1f} %"


def _in_unit(unit: str) -> Form:
    return lambda amount: f"{abs(amount):.4g}{' ' * bool(unit)}{unit}"


def _factor(ratio: float) -> float:
    return max(ratio, 1 / ratio)
