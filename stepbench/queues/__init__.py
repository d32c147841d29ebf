"""Queues: what the program needs of SQS, behind one small interface. One file each.

The rules are SQS's documented contract and no more: at least once, in any order, hidden for a while after each receive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH_MESSAGES = 10
MAX_WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send."""

    body: str
    group: str | None = None
    """MessageGroupId: on a standard queue, the tenant among whom SQS shares fairly."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as one receive handed it out. The stamps are the queue's own, in milliseconds of Unix time."""

    id: str
    receipt: str
    """Stands for this one receive; what deletes, extends or hands back the message."""
    body: str
    sent_at_ms: int
    first_received_at_ms: int
    receive_count: int

    @property
    def queue_wait_ns(self) -> int:
        """First receive less sent."""
        return (self.first_received_at_ms - self.sent_at_ms) * 1_000_000


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def empty(self) -> bool:
        return self.visible == self.in_flight == self.delayed == 0


class Queue(Protocol):
    """A standard queue. Any number of messages may be given at once; batches are made of them.

    Every method raises the service's own error when the call as a whole is refused.
    """

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send all of them. Raises PartlyRefused when the queue goes on refusing some."""
        ...

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        """Up to `most` messages (10 at the most), as soon as there is one, or none after `wait_seconds`."""
        ...

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete for good. A receipt that is no longer valid is no error: its message comes again and is known."""
        ...

    def hide(self, receipts: Sequence[str], seconds: int) -> list[str]:
        """Keep hidden for `seconds` from now; 0 hands back.

        Returns those receipts that the queue says are no longer valid: the message was deleted, or its time ran out. A
        queue need not say so.
        """
        ...

    def depth(self) -> Depth:
        """About how many messages there are."""
        ...
