"""A known delay is put into one place at a time. Does it appear in the part where it must, and in no other?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from textwrap import wrap
from typing import get_args

from benchmarks.truth import Row
from benchmarks.truth._expected import EXPECTED, Expected
from benchmarks.truth._injecting import DELAY_SECONDS, TRANSFORM_SECONDS, Trio, injected
from benchmarks.truth._priority import first_in_line
from benchmarks.truth._shifts import Shift, off_ms, shifts
from stepbench import machine
from tests.delays.places import PLACES, OnTheWay, Place

ROUNDS = 30
DELAY_MS = DELAY_SECONDS * 1e3
WITHIN_MS = max(5.0, 0.05 * DELAY_MS)
OTHERS_WITHIN_MS = 2.0
NOTES = wrap(
    f"{DELAY_MS:g} ms at one place of one step; every step's transform takes {TRANSFORM_SECONDS * 1e3:g} ms. Medians "
    "of paired differences with an undelayed step beside it, in ms [95 % interval, sign test]. `else`: the part of "
    "the delayed step, or of the one after it, that moved most of those that must not. A row holds where the part "
    f"moved as expected within {WITHIN_MS:g} ms and no other one by more than {OTHERS_WITHIN_MS:g} ms. Where intervals "
    "are wider, the machine was too busy to tell: more --rounds would, or root's right to go before others (SCHED_RR).",
    width=118,
)


def run(rounds: int | None) -> list[Row]:
    count = rounds or ROUNDS
    with first_in_line() as first:
        found = injected(count)
    on_the_way = {place: found.held.get(place, 0) for place in get_args(OnTheWay)}
    rows = [row(place, found.turns[place], EXPECTED[place], on_the_way.get(place, count)) for place in PLACES]
    return [_surroundings(count, first=first), *rows]


def _surroundings(rounds: int, *, first: bool) -> Row:
    others = "which our programs went before" if first else "which our programs had to queue with"
    load = f"{machine.cores()} cores, load {os.getloadavg()[0]:.1f}, {others}"
    return Row("each place", f"{rounds} turns; {load}")


def row(place: Place, trios: Sequence[Trio], expected: Expected, held: int, delay_ms: float = DELAY_MS) -> Row:
    """What was expected of the delay, and what came of it; `held`: how many of the steps really met it."""
    moved = shifts(trios)
    found = moved.pop(expected.part) if expected.part else None
    most = max(moved.values(), key=lambda each: abs(each.middle_ms))
    figure = f"else {_words(most)}" if found is None else f"{_words(found)}; else {_words(most)}"
    holds = abs(most.middle_ms) <= OTHERS_WITHIN_MS
    if held != len(trios):
        return Row(place, f"{held} of {len(trios)} were held up", "all of them", holds=False)
    if found is None:
        return Row(place, figure, "nowhere", holds)
    off = off_ms(trios, expected, delay_ms * 1e6)
    limit = f"{found.part} {found.middle_ms - off.middle_ms:+.1f}"
    return Row(place, figure, limit, holds and abs(off.middle_ms) <= WITHIN_MS)


def _words(shift: Shift) -> str:
    return f"{shift.part} {shift.middle_ms:+.1f} [{shift.low_ms:+.1f}, {shift.high_ms:+.1f}]"
