"""The step messages that this worker holds, from their receive until they are deleted or handed back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stepbench.messages import StepMessage
from stepbench.queues import Received
from worker.identity import identity_of


@dataclass(frozen=True, slots=True)
class HeldStep:
    """A step message in this worker's hands."""

    message: StepMessage
    received: Received
    received_at_ns: int
    """This worker's monotonic clock, when the receive returned."""

    @property
    def receipt(self) -> str:
        return self.received.receipt

    @property
    def results_queue_url(self) -> str:
        """Where its completion goes."""
        url = self.message.results_queue_url
        assert url is not None  # the guard lets no such message through
        return url


def identities_of(steps: Sequence[HeldStep]) -> dict[str, Any]:
    """For a log line about several steps: how many they are, and which one it is where it is one."""
    only = identity_of(steps[0].message) if len(steps) == 1 else {}
    return {"count": len(steps), **only}


class HeldSteps:
    """Which messages must be kept hidden. Used from every thread of the worker.

    One is disowned when the worker learns that it is somebody else's by now, or that nobody waits for its result. Its
    step may be under way all the same: `on_disowned` is told, once for each.
    """

    def __init__(self, on_disowned: Callable[[HeldStep], None] = lambda step: None) -> None:
        self._on_disowned = on_disowned
        self._lock = threading.Lock()
        self._steps: dict[str, HeldStep] = {}
        self._disowned: set[str] = set()
        self.hiding = threading.Lock()
        """Held from the look at what is held to the answer of the call that extends it, and while messages are handed
        back: else one that is handed back in between would be hidden again for a whole visibility timeout. `add` and
        `remove` never wait for it."""

    def add(self, step: HeldStep) -> None:
        with self._lock:
            self._steps[step.receipt] = step

    def remove(self, receipts: Iterable[str]) -> None:
        with self._lock:
            for receipt in receipts:
                self._steps.pop(receipt, None)
                self._disowned.discard(receipt)

    def disown(self, receipts: Iterable[str]) -> list[HeldStep]:
        """Those of them that were held. They are kept hidden no longer; `remove` forgets them."""
        with self._lock:
            steps = [self._steps.pop(receipt) for receipt in receipts if receipt in self._steps]
            self._disowned |= {step.receipt for step in steps}
        for step in steps:
            self._on_disowned(step)
        return steps

    def is_disowned(self, step: HeldStep) -> bool:
        with self._lock:
            return step.receipt in self._disowned

    def any(self) -> bool:
        with self._lock:
            return bool(self._steps)

    def steps(self) -> list[HeldStep]:
        with self._lock:
            return list(self._steps.values())
