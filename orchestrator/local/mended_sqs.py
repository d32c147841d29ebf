"""What moto's SQS does that SQS does not, mended.

* A message that arrives while another is being deleted is lost, and one message may be handed to two receivers that
  wake together. Queues are locked here.
* A receiver that is gone is still handed messages, which then stay hidden for a whole visibility timeout.
* A waiting receiver sleeps on when a message is handed back.
* Each send and each receive counts all messages several times, with a slow look at the clock for every one: with only
  ten in flight that is most of a call's time. A queue of SQS takes no longer for that.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, cast

from orchestrator.local.http_server import client_is_gone

if TYPE_CHECKING:
    from moto.sqs.models import Message, Queue, SQSBackend

# How long a receiver waits before it looks again for messages whose visibility timeout ran out. Not always the same
# time: of two receivers that hide a message from each other, the one that hid it would always be the first to see it.
_LOOK_AGAIN_SECONDS = (0.1, 0.5)


def mend() -> None:
    """Once, before the first call."""
    from moto.sqs.models import Message, Queue, SQSBackend

    receive, change_visibility = SQSBackend.receive_message, SQSBackend.change_message_visibility
    delete = Queue.delete_message

    def receive_message(
        self: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        queue = self.get_queue(queue_name)
        ends = time.monotonic() + wait_seconds_timeout
        while True:
            if client_is_gone():
                raise ConnectionError("the client of a receive is gone")
            with queue._messages_lock:  # noqa: SLF001 # moto has no other
                found = receive(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
            left_seconds = ends - time.monotonic()
            if found or left_seconds <= 0:
                return found
            queue.wait_for_messages(min(random.uniform(*_LOOK_AGAIN_SECONDS), left_seconds))  # type: ignore[arg-type] # takes fractions too

    def change_message_visibility(
        self: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
    ) -> None:
        lock = self.get_queue(queue_name)._messages_lock  # noqa: SLF001 # moto has no other
        with lock:
            change_visibility(self, queue_name, receipt_handle, visibility_timeout)
            lock.notify_all()

    def delete_message(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:
            delete(self, receipt_handle)

    for owner, name, mended in (
        (Message, "visible", property(_is_visible)),
        (Message, "delayed", property(_is_delayed)),
        (SQSBackend, "is_message_valid_based_on_retention_period", _is_retained),
        (SQSBackend, "receive_message", receive_message),
        (SQSBackend, "change_message_visibility", change_message_visibility),
        (Queue, "delete_message", delete_message),
    ):
        setattr(owner, name, mended)


def _is_visible(message: Message) -> bool:
    return time.time() * 1000 > message.visible_at


def _is_delayed(message: Message) -> bool:
    return time.time() * 1000 < message.delayed_until


def _is_retained(backend: SQSBackend, queue_name: str, message: Message) -> bool:
    retained_seconds: int = backend.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined] # set by name
    return time.time() < cast(int, message.sent_timestamp) / 1000 + retained_seconds
