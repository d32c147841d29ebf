"""When rounds are enough to see a difference of a given size: a noisy machine gets more of them than a quiet one.

Measuring ends at a standard error and never at a verdict: whoever measures until a difference shows will see one. A
case that is far from the baseline need not be known so closely. How far it is may end the measuring only where it is
known within a quarter of that, which is 15 standard errors: chance alone does not bring anything there.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log

from orchestrator.verdicts import ENOUGH_ROUNDS
from orchestrator.verdicts.comparison import Comparison
from orchestrator.verdicts.rounds import from_scale

PART_OF_A_LARGE_ONE = 1 / 4
"""Of a large difference: within so much it is to be known."""
GROWTH = 1.2
"""From one look at the rounds to the next one: a look at each round would find the one whose error is low by luck."""


def looks(most: int) -> Iterator[int]:
    """After how many rounds is asked whether they are enough, up to `most`: 10, 12, 15, 18 and so on."""
    rounds = ENOUGH_ROUNDS
    while rounds <= most:
        yield rounds
        rounds = ceil(rounds * GROWTH)


def is_seen(found: Comparison, share: float) -> bool:
    """Whether a case that takes `share` more than its baseline would be called in nine of ten such experiments.

    Never where there is no ratio, or too few rounds for an interval.
    """
    if found.detectable is None or found.estimate is None or found.scale != "ratio":
        return False
    far = abs(from_scale(found.estimate, found.scale))
    return from_scale(found.detectable, found.scale) <= max(log(1 + share), PART_OF_A_LARGE_ONE * far)
