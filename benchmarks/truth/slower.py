"""A/B: as A/A, but a phase of one arm takes 1.05 times as long. How often is that found, and with how many rounds?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.truth import Row
from benchmarks.truth._resampling import medians, rounds_needed, rounds_to_use, share_found
from benchmarks.truth._rounds_file import Round
from orchestrator.verdicts import USUAL_ROUNDS
from orchestrator.verdicts.comparison import ALPHA, MISSED

FACTOR = 1.05
LIMIT = 0.9
QUIET_SHARE = 0.05
"""Of all cores, for other programs: `benchmarks._machine` warns above it."""
RESAMPLES = 1_000
NOTES = (
    f"Called at {ALPHA:.0%}. Rounds that are needed: by the spread of all measured rounds.",
    f"Quiet rounds: those in which other programs took at most {QUIET_SHARE:.0%} of all cores. Walls are held to the",
    "limit in those alone; CPU time in all.",
)


def run(rounds: int | None) -> list[Row]:
    measured = rounds_to_use(rounds).rounds
    quiet = [each for each in measured if each.others_share <= QUIET_SHARE]
    return [*_rows(measured, quiet=False), *_rows(quiet, quiet=True)]


def _rows(rounds: Sequence[Round], *, quiet: bool) -> Iterator[Row]:
    which = "quiet rounds" if quiet else "all rounds"
    if len(rounds) < USUAL_ROUNDS:
        yield Row(which, f"there are {len(rounds)}: too few for a comparison of {USUAL_ROUNDS}")
        return
    for phase in rounds[0].arms[0]:
        values = medians(rounds, phase)
        share = share_found(values, USUAL_ROUNDS, FACTOR, RESAMPLES)
        needed = rounds_needed(values, FACTOR, ALPHA, MISSED)
        figure = f"found in {share:.1%} with {USUAL_ROUNDS} of {len(rounds)} rounds; {needed or 'very many'} are needed"
        held = quiet or phase.startswith("CPU")
        limit = f"found in at least {LIMIT:.0%}" if held else ""
        yield Row(f"{phase}, {which}", figure, limit, share >= LIMIT if held else None)
