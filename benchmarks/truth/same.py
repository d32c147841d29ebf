"""A/A: measured runs of one case, compared with each other. How often is it called different from itself?"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.truth import Row
from benchmarks.truth._bounds import upper
from benchmarks.truth._by_itself import ended, span, walls
from benchmarks.truth._resampling import EXPERIMENTS, Pair, medians, rounds_to_use, verdict
from orchestrator.verdicts import ENOUGH_ROUNDS, TO_SEE
from orchestrator.verdicts.comparison import ALPHA

LIMIT = 0.05
FEW = f"{ENOUGH_ROUNDS} rounds"
BY_ITSELF = f"until {TO_SEE:.0%} is seen"
NOTES = (
    f"Nominal is {ALPHA:.0%}. {EXPERIMENTS:,} experiments each, of {FEW} or of as many as compare takes by itself.",
    "The bound is one-sided, 95 %, and takes them for independent, which they are not quite: they share their rounds.",
)


def run(rounds: int | None) -> list[Row]:
    measured = rounds_to_use(rounds)
    every = {name: medians(measured.rounds, name) for name in measured.rounds[0].arms[0]}
    by_itself = ended(rounds)
    return [
        Row(measured.about, f"{len(measured.rounds)} rounds measured"),
        *(
            _row(f"{name}, {FEW}", (one.experiment.values(of, ENOUGH_ROUNDS) for one in by_itself))
            for name, of in every.items()
        ),
        Row(BY_ITSELF, span(one.rounds for one in by_itself)),
        *(
            _row(f"{name}, {BY_ITSELF}", (one.experiment.values(of, one.rounds) for one in by_itself))
            for name, of in walls(measured.rounds).items()
        ),
    ]


def _row(what: str, pairs: Iterable[Pair]) -> Row:
    verdicts = [verdict(pair) for pair in pairs]
    called = len(verdicts) - verdicts.count("no difference seen")
    bound = upper(called, len(verdicts))
    figure = f"{called / len(verdicts):.2%} called different, upper bound {bound:.2%}"
    return Row(what, figure, f"bound at most {LIMIT:.0%}", bound <= LIMIT)
