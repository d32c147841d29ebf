"""The step messages that this worker holds, from their receive until they are deleted or handed back."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from stepbench.messages import StepMessage
from stepbench.queues import Received


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


class HeldSteps:
    """Which receipts must be kept hidden. Used from every thread of the worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receipts: set[str] = set()

    def add(self, receipt: str) -> None:
        with self._lock:
            self._receipts.add(receipt)

    def remove(self, receipts: Iterable[str]) -> None:
        with self._lock:
            self._receipts.difference_update(receipts)

    def receipts(self) -> list[str]:
        with self._lock:
            return list(self._receipts)
