"""A/A: measured runs of one case, compared with each other. How often is it called different from itself?"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.truth import Row
from benchmarks.truth._bounds import upper
from benchmarks.truth._resampling import medians, pairs, rounds_to_use
from orchestrator.verdicts import ENOUGH_ROUNDS
from orchestrator.verdicts.comparison import ALPHA, paired

ROUNDS = ENOUGH_ROUNDS
"""Of a comparison: the fewer, the harder it is to be honest."""
LIMIT = 0.05
RESAMPLES = 2_000
NOTES = (
    f"Nominal is {ALPHA:.0%}. {RESAMPLES} comparisons of {ROUNDS} rounds each; the bound is one-sided, 95 %; it takes",
    "them for independent, which they are not quite: they share the measured rounds.",
)


def run(rounds: int | None) -> list[Row]:
    measured = rounds_to_use(rounds)
    quantities = measured.rounds[0].arms[0]
    title = Row(measured.about, f"{len(measured.rounds)} rounds measured")
    return [title, *(_row(name, medians(measured.rounds, name)) for name in quantities)]


def _row(quantity: str, values: Sequence[Sequence[float]]) -> Row:
    verdicts = [paired(case, baseline).verdict for case, baseline in pairs(values, ROUNDS, RESAMPLES)]
    called = len(verdicts) - verdicts.count("no difference seen")
    bound = upper(called, len(verdicts))
    figure = f"{called / len(verdicts):.2%} called different, upper bound {bound:.2%}"
    return Row(quantity, figure, f"bound at most {LIMIT:.0%}", bound <= LIMIT)
