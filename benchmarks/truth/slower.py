"""A/B: as A/A, but a phase of one arm takes 1.05 times as long. How often does an experiment find it?"""

from __future__ import annotations

from benchmarks.truth import Row
from benchmarks.truth._by_itself import ended, span, walls
from benchmarks.truth._resampling import EXPERIMENTS, most_rounds, rounds_to_use, verdict
from orchestrator.verdicts import TO_SEE
from orchestrator.verdicts.comparison import ALPHA

FACTOR = 1.05
LIMIT = 0.9
NOTES = (
    f"Called at {ALPHA:.0%}, in {EXPERIMENTS:,} experiments as compare makes them unless told otherwise: of as many",
    f"rounds as it takes to see {TO_SEE:.0%}.",
)


def run(rounds: int | None) -> list[Row]:
    measured = rounds_to_use(rounds)
    by_itself = ended(rounds)
    title = Row(measured.about, f"{span(one.rounds for one in by_itself)}, of at most {most_rounds(measured.rounds)}")
    found = {
        name: sum(verdict(one.experiment.values(of, one.rounds), FACTOR) == "more" for one in by_itself)
        for name, of in walls(measured.rounds).items()
    }
    return [title, *(_row(name, count / len(by_itself)) for name, count in found.items())]


def _row(what: str, share: float) -> Row:
    return Row(what, f"found in {share:.1%}", f"found in at least {LIMIT:.0%}", share >= LIMIT)
