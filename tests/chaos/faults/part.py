"""Part `faults`: whole runs of real programs, with a proxy between them and the emulators that makes calls go wrong."""

from __future__ import annotations

from tests.chaos.faults.bench import Bench, bench
from tests.chaos.faults.catalogue import ALL_PAIRS, FULL
from tests.chaos.faults.round import Met, play
from tests.chaos.figures import Figures

ROUNDS = 2 * FULL


def run(rounds: int, seed: int) -> Figures:
    """Rounds of the seeds from `seed` on."""
    with bench() as place:
        return run_on(place, rounds, seed)


def run_on(place: Bench, rounds: int, seed: int) -> Figures:
    figures, met = Figures(), Met()
    for number in range(seed, seed + rounds):
        played, faults = play(place, number)
        figures.add(played)
        met += faults
    figures.tried[f"pairs of call and fault, of {len(ALL_PAIRS)}"] = len(ALL_PAIRS & set(met))
    return figures
