"""Part `schedules`: the real loop, state machine, channel and journal in a simulated world, one schedule a round."""

from __future__ import annotations

from tests.chaos.figures import Figures
from tests.chaos.schedules.schedule import play

ROUNDS = 1_000


def run(rounds: int, seed: int) -> Figures:
    """Schedules of the seeds from `seed` on."""
    figures = Figures()
    for number in range(seed, seed + rounds):
        figures.add(play(number))
    return figures
