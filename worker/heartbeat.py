"""Keeps every held message invisible, whatever the executors do, and hands back what has waited too long to begin."""

from __future__ import annotations

import threading

import structlog

from stepbench.executors.backlog import Backlog
from stepbench.queues import Queue
from worker.held import HeldStep, HeldSteps, identities_of
from worker.pulse import Pulse

BEATS_PER_VISIBILITY_TIMEOUT = 3
"""So that one failed beat, and the SDK's retries of it, still leave time for the next."""
STALE_CHECK_SECONDS = 1.0

log = structlog.get_logger()


def beat(queue: Queue, held: HeldSteps, visibility_seconds: int, ended: threading.Event, pulse: Pulse) -> None:
    """Extend all held messages again and again until `ended`. A failed beat is logged and the next one tries again.

    What the queue says is no longer this worker's is disowned.
    """
    pause_seconds = visibility_seconds / BEATS_PER_VISIBILITY_TIMEOUT
    while not _ended_within(pause_seconds, ended, pulse):
        with held.hiding:
            steps = held.steps()
            try:
                gone = queue.hide([step.receipt for step in steps], visibility_seconds)
            except Exception as error:  # noqa: BLE001 # the network may be away for a while; the beat must go on
                log.warning(
                    "could not extend the visibility of held messages", **identities_of(steps), error=str(error)
                )
                continue
        lost = held.disown(gone)
        if lost:
            log.warning("messages are no longer this worker's", **identities_of(lost))


def hand_back(queue: Queue, held: HeldSteps, steps: list[HeldStep]) -> None:
    """Make messages visible for other workers at once. What cannot be handed back comes back by itself in time."""
    if not steps:
        return
    receipts = [step.receipt for step in steps]
    with held.hiding:
        held.remove(receipts)
        try:
            queue.hide(receipts, 0)
        except Exception as error:  # noqa: BLE001 # see the docstring
            log.warning("could not hand back messages", **identities_of(steps), error=str(error))


def hand_back_stale(
    queue: Queue, held: HeldSteps, backlog: Backlog[HeldStep], ended: threading.Event, pulse: Pulse
) -> None:
    """Hand back, again and again until `ended`, what waits in the backlog for longer than it was taken for."""
    while not _ended_within(STALE_CHECK_SECONDS, ended, pulse):
        stale = backlog.take_stale()
        if stale:
            log.info("handing back steps that waited too long for a free executor", **identities_of(stale))
        hand_back(queue, held, stale)


def _ended_within(seconds: float, ended: threading.Event, pulse: Pulse) -> bool:
    pulse.turn(seconds)
    ended_now = ended.wait(seconds)
    pulse.turn()
    return ended_now
