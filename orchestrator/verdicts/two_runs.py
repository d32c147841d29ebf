"""Two runs, or two experiments, that were not measured side by side.

Nothing pairs them: the machine of the one may have been busier all along, and no figure in either tells. What is inside
the interval is only what varied within each. Of two experiments those are their rounds. Of two plain runs they are
blocks of steps in the order in which they ended: steps that follow each other fare alike, so that a hundred of them are
not a hundred witnesses, and each block counts as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from orchestrator.verdicts.comparison import ALPHA, Comparison, few_words, made
from orchestrator.verdicts.effect import cliffs_delta
from orchestrator.verdicts.location import FEWEST_ROUNDS, located_apart
from orchestrator.verdicts.rounds import ByRound, Scale, Vector, on_scale, scale_of

BLOCKS = 10
"""Of a run, where it has the steps for them: Ibragimov and Müller (2010) find 8 to 16 groups enough for most series."""
FEWEST_IN_BLOCK = 2
ONE_RUN_EACH = (
    "This compares one run with one run: what stays the same throughout a run (where its worker ran, what its "
    "neighbours did, how its memory happened to lie) looks like a difference between the two. An experiment of several "
    "rounds tells it apart: python -m orchestrator compare."
)
NOT_SIDE_BY_SIDE = (
    "The two experiments were not measured side by side: a machine that changed in between looks like a difference "
    "between them. Cases of one experiment are compared round by round."
)


def two_experiments(case: ByRound, baseline: ByRound, alpha: float = ALPHA) -> Comparison:
    """`case` against `baseline` over the rounds of either; which round it was means nothing across experiments."""
    return _unpaired([*case.values()], [*baseline.values()], "round", alpha)


def two_runs(case: Sequence[float], baseline: Sequence[float], alpha: float = ALPHA) -> Comparison:
    """`case` against `baseline`, one number per step of a run, in the order of time."""
    if min(len(case), len(baseline)) < FEWEST_ROUNDS * FEWEST_IN_BLOCK:
        return _by_medians(
            case, baseline, f"fewer than {FEWEST_ROUNDS * FEWEST_IN_BLOCK} steps cannot tell how sure it is"
        )
    return _unpaired(_block_medians(case), _block_medians(baseline), "block", alpha)


def _block_medians(steps: Sequence[float]) -> list[float]:
    count = min(BLOCKS, len(steps) // FEWEST_IN_BLOCK)
    return [float(np.median(block)) for block in np.array_split(np.asarray(steps, dtype=float), count)]


def _unpaired(ours: Sequence[float], theirs: Sequence[float], noun: str, alpha: float) -> Comparison:
    fewest = min(len(ours), len(theirs))
    if fewest < FEWEST_ROUNDS:
        return _by_medians(ours, theirs, few_words(fewest, noun) if fewest else "")
    scale = scale_of(*ours, *theirs)
    found = located_apart(_scaled(ours, scale), _scaled(theirs, scale))
    return made(found, scale, fewest, cliffs_delta(ours, theirs), alpha)


def _scaled(values: Sequence[float], scale: Scale) -> Vector:
    plain = np.asarray(values, dtype=float)
    return np.log(plain) if scale == "ratio" else plain


def _by_medians(ours: Sequence[float], theirs: Sequence[float], reason: str) -> Comparison:
    """An estimate, where both have anything, and no more."""
    scale = scale_of(*ours, *theirs)
    if not ours or not theirs:
        which = "the case" if not ours else "the baseline"
        return Comparison(verdict="cannot tell", scale=scale, rounds=0, reason=f"{which} has nothing that was measured")
    middles = _scaled([median(ours), median(theirs)], scale)
    estimate = on_scale(float(middles[0] - middles[1]), scale)
    return Comparison(
        verdict="cannot tell", scale=scale, rounds=min(len(ours), len(theirs)), estimate=estimate, reason=reason
    )
