"""A queue in this process's memory, with SQS's contract: visibility, redelivery, receive counts, long polling."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stepbench.queues import MAX_BATCH_MESSAGES, Depth, Outgoing, Received


@dataclass
class _Stored:
    body: str
    sent_at: float
    visible_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receipt: str | None = None
    first_received_at: float | None = None
    receive_count: int = 0


class MemoryQueue:
    """See `stepbench.queues.Queue`.

    `visibility_seconds` hides a message after each receive; after `max_receives` it moves to `dead_letters` when it
    would be received again. `clock` gives seconds; waiting receivers look at it anew at least every `tick_seconds`.
    """

    def __init__(
        self,
        visibility_seconds: float = 30.0,
        max_receives: int | None = None,
        clock: Callable[[], float] = time.time,
        tick_seconds: float = 0.05,
    ) -> None:
        self.dead_letters: list[str] = []
        self._visibility_seconds = visibility_seconds
        self._max_receives = max_receives
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._messages: list[_Stored] = []
        self._changed = threading.Condition()

    def send(self, messages: Sequence[Outgoing]) -> None:
        with self._changed:
            now = self._clock()
            self._messages += [_Stored(message.body, sent_at=now, visible_at=now) for message in messages]
            self._changed.notify_all()

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        deadline = self._clock() + wait_seconds
        with self._changed:
            while True:
                self._bury()
                now = self._clock()
                found = [message for message in self._messages if message.visible_at <= now]
                if found or now >= deadline:
                    return [self._hand_out(message, now) for message in found[: min(most, MAX_BATCH_MESSAGES)]]
                self._changed.wait(self._tick_seconds)

    def delete(self, receipts: Sequence[str]) -> None:
        with self._changed:
            self._messages = [message for message in self._messages if message.receipt not in receipts]

    def hide(self, receipts: Sequence[str], seconds: int) -> list[str]:
        with self._changed:
            known = {message.receipt for message in self._messages}
            for message in self._messages:
                if message.receipt in receipts:
                    message.visible_at = self._clock() + seconds
            self._changed.notify_all()
        return [receipt for receipt in receipts if receipt not in known]

    def depth(self) -> Depth:
        with self._changed:
            now = self._clock()
            visible = sum(message.visible_at <= now for message in self._messages)
            return Depth(visible=visible, in_flight=len(self._messages) - visible, delayed=0)

    def _hand_out(self, message: _Stored, now: float) -> Received:
        message.visible_at = now + self._visibility_seconds
        message.receipt = str(uuid.uuid4())
        message.receive_count += 1
        message.first_received_at = message.first_received_at or now
        return Received(
            id=message.id,
            receipt=message.receipt,
            body=message.body,
            sent_at_ms=int(message.sent_at * 1000),
            first_received_at_ms=int(message.first_received_at * 1000),
            receive_count=message.receive_count,
        )

    def _bury(self) -> None:
        if self._max_receives is None:
            return
        now = self._clock()
        dead = [
            message
            for message in self._messages
            if message.visible_at <= now and message.receive_count >= self._max_receives
        ]
        self.dead_letters += [message.body for message in dead]
        self._messages = [message for message in self._messages if message not in dead]
