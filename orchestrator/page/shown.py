"""How figures are written in a page. What is not known is a dash, and never `None` or `nan`."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite, log10

from orchestrator.page.cases import CaseFigures
from orchestrator.report import units
from orchestrator.verdicts import words
from orchestrator.verdicts.comparison import Comparison

CENTS, FIGURES = 2, 3
ABSENT = "\N{EN DASH}"
OF_TIMES = {"less": "faster", "more": "slower"}
"""Verdicts on a time in a word; the others are words already."""


def milliseconds(duration_ns: float | None) -> str:
    return ABSENT if duration_ns is None else units.duration(round(duration_ns))


def size(count_bytes: float | None) -> str:
    return ABSENT if count_bytes is None else units.size(round(count_bytes))


def rate(value: float | None) -> str:
    return ABSENT if value is None else units.rate(value)


def usd_places(amounts: Iterable[float | None]) -> int:
    """Behind the point, for all of a column: three figures of the largest, two more where the others need them."""
    known = [amount for amount in amounts if amount and isfinite(amount)]
    if not known:
        return 0
    most, least = (max(CENTS, FIGURES - 1 - floor(log10(amount))) for amount in (max(known), min(known)))
    return min(least, most + 2)


def usd(amount: float | None, places: int | None = None) -> str:
    """`$0.0085`: three figures below a dollar, cents above; or so many places as its column has."""
    if amount is None or not isfinite(amount):
        return ABSENT
    if amount == 0:
        return "$0"
    if places is not None:
        return f"${amount:,.{places}f}"
    if amount >= 1:
        return f"${amount:,.2f}"
    return f"${amount:.3g}" if amount >= 0.001 else f"${amount:.9f}".rstrip("0")


def interval_ms(case: CaseFigures) -> str:
    """`87.1 ms to 128 ms`."""
    if case.low_ns is None or case.high_ns is None:
        return ABSENT
    return f"{milliseconds(case.low_ns)} to {milliseconds(case.high_ns)}"


def verdict_words(case: CaseFigures) -> str:
    """`3.54 times faster`, `12.1 % slower`, `no difference seen`."""
    if case.is_baseline:
        return "the baseline"
    if case.against_baseline is None:
        return ABSENT
    return compared(case.against_baseline)


def compared(found: Comparison) -> str:
    """What a comparison of times claims."""
    word = OF_TIMES.get(found.verdict)
    if word is None or found.estimate is None:
        return found.verdict
    if found.scale != "ratio":
        return f"{milliseconds(abs(found.estimate))} {word}"
    return f"{words.by(found.estimate)} {word}"


def ratio(case: CaseFigures) -> str:
    """`0.28 (0.19 to 0.42)`."""
    return "1" if case.is_baseline else ratio_of(case.against_baseline)


def ratio_of(found: Comparison | None) -> str:
    """A dash where there is none."""
    if found is None or found.estimate is None or found.scale != "ratio":
        return ABSENT
    if found.interval is None:
        return f"{found.estimate:.2f}"
    return f"{found.estimate:.2f} ({found.interval.low:.2f} to {found.interval.high:.2f})"


def rank(case: CaseFigures) -> str:
    """`1`, `1 to 3`, `floor`."""
    if case.is_floor:
        return "floor"
    if case.rank_best is None or case.rank_worst is None:
        return ABSENT
    return str(case.rank_best) if case.rank_best == case.rank_worst else f"{case.rank_best} to {case.rank_worst}"


def percent(share: float) -> str:
    return f"{share * 100:.0f} %" if abs(share) >= 0.0995 else f"{share * 100:.1f} %"
