"""Numbers as people read them: one place for how durations, sizes, rates and shares look."""

from __future__ import annotations

from dataclasses import dataclass

NS_PER_MS = 1_000_000
NS_PER_SECOND = 1_000_000_000
SIZE_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
ROUNDS_TO_NEXT_UNIT = 0.9995
"""Of a unit: what three figures of the unit below would show as 1000 of them."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One unit and one number of digits for a whole table, so that its numbers can be compared by eye."""

    unit: str
    unit_ns: int
    digits: int

    def show(self, duration_ns: int) -> str:
        """Without the unit: `1234.6`; never `-0.0`."""
        return _plain(duration_ns / self.unit_ns, self.digits)


def scale_of(typical_ns: int) -> Scale:
    """The scale for a table whose longest row typically takes `typical_ns`; never coarser than a millisecond."""
    if typical_ns >= 100 * NS_PER_SECOND:
        return Scale("s", NS_PER_SECOND, 3)
    return Scale("ms", NS_PER_MS, 2 if typical_ns < 100 * NS_PER_MS else 1)


def duration(duration_ns: int) -> str:
    """`0.12 ms`, `35.0 ms`, `7.32 s`, `4 min 05 s`, `3 h 07 min`."""
    if abs(duration_ns) < ROUNDS_TO_NEXT_UNIT * NS_PER_SECOND:
        return f"{_three_figures(duration_ns / NS_PER_MS)} ms"
    whole_seconds = duration_ns / NS_PER_SECOND
    return f"{_three_figures(whole_seconds)} s" if abs(whole_seconds) < 120 else clock(whole_seconds)


def clock(elapsed_seconds: float) -> str:
    """`45 s`, `4 min 05 s`, `3 h 07 min`: for elapsed times and times left."""
    whole = max(0, round(elapsed_seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def size(count_bytes: int) -> str:
    """`512 B`, `10.0 kB`, `50.0 MB`, `1.25 GB`; MB are 10^6 bytes."""
    for unit, factor in SIZE_UNITS:
        if count_bytes >= ROUNDS_TO_NEXT_UNIT * factor:
            return f"{_three_figures(count_bytes / factor)} {unit}"
    return f"{count_bytes} B"


def rate(value: float) -> str:
    """Three figures without a unit: `3.31`, `85.3`, `1234`."""
    return _three_figures(value)


def percent(share: float) -> str:
    """`12.3%`."""
    return f"{_plain(share * 100, 1)}%"


def one_line(text: str) -> str:
    """`text` without line breaks and without anything that a terminal would act upon."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def shortened(text: str, longest: int) -> str:
    """`text` in one line, its end left out where it is longer than `longest` characters."""
    line = one_line(text)
    return line if len(line) <= longest else line[: longest - 3].rstrip() + "..."


def _three_figures(value: float) -> str:
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return _plain(value, digits)


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text
