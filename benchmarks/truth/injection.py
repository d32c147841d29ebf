"""A known delay is put into one place at a time. Does it appear in the part where it must, and in no other?"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.truth import Row
from benchmarks.truth._expected import EXPECTED, Expected
from benchmarks.truth._injecting import DELAY_SECONDS, TRANSFORM_SECONDS, Trio, injected
from benchmarks.truth._shifts import Shift, off_ms, shifts
from tests.delays.places import PLACES, Place

ROUNDS = 60
DELAY_MS = DELAY_SECONDS * 1e3
WITHIN_MS = max(5.0, 0.05 * DELAY_MS)
OTHERS_WITHIN_MS = 2.0
NOTES = (
    f"A delay of {DELAY_MS:g} ms at one place of one step; {TRANSFORM_SECONDS * 1e3:g} ms of transform in every step.",
    "Medians of paired differences with an undelayed step two steps later, in ms [95 % interval, sign test]. `else`: the",
    "part of the delayed step, or of the step after it, that moved most of those that must not.",
)


def run(rounds: int | None) -> list[Row]:
    turns = injected(rounds or ROUNDS)
    return [row(place, turns[place]) for place in PLACES]


def row(place: Place, trios: Sequence[Trio], expected: Expected | None = None) -> Row:
    """What was expected of `place` (or is now), and what came of it."""
    expected = expected or EXPECTED[place]
    moved = shifts(trios)
    found = moved.pop(expected.part) if expected.part else None
    most = max(moved.values(), key=lambda each: abs(each.middle_ms))
    others_hold = abs(most.middle_ms) <= OTHERS_WITHIN_MS
    figure = "; ".join([*([_words(found)] if found else []), f"else {_words(most)}"])
    if expected.part is None:
        return Row(place, figure, f"nowhere: {expected.why}", others_hold)
    off = off_ms(trios, expected, DELAY_SECONDS * 1e9)
    return Row(place, figure, _limit(expected, found, off), others_hold and abs(off.middle_ms) <= WITHIN_MS)


def _limit(expected: Expected, found: Shift | None, off: Shift) -> str:
    assert found is not None
    due = found.middle_ms - off.middle_ms
    return f"{expected.part} {due:+.1f}: {expected.why}"


def _words(shift: Shift) -> str:
    return f"{shift.part} {shift.middle_ms:+.1f} [{shift.low_ms:+.1f}, {shift.high_ms:+.1f}]"
