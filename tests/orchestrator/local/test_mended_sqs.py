"""The emulated SQS within this process, so that two calls can be made to meet where they would do harm."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from orchestrator.local import mended_sqs
from tests.locks import TellingLock
from tests.processes import wait_until

NAME = "queue"
HIDDEN_SECONDS = 600
FOR_EVER_SECONDS = 3_600


class TellingCondition(threading.Condition):
    """Tells when a thread waits for the lock, and when one waits to be notified."""

    def __init__(self) -> None:
        self.lock = TellingLock()
        self.waiting = threading.Event()
        lock: Any = self.lock
        super().__init__(lock)

    def wait(self, timeout: float | None = None) -> bool:
        self.waiting.set()
        return super().wait(timeout)


class Emulated:
    """One queue of the mended backend."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.queue = backend.create_queue(NAME)
        self.condition = TellingCondition()
        self.queue._messages_lock = self.condition

    def send(self, body: str) -> None:
        self.backend.send_message(NAME, body)

    def receive(self, wait_seconds: int = 0) -> list[Any]:
        found: list[Any] = self.backend.receive_message(NAME, 10, wait_seconds, HIDDEN_SECONDS)
        return found

    def bodies(self) -> list[str]:
        return sorted(message.body for message in self.queue._messages)


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Emulated:
    from moto.sqs.models import Message, Queue, SQSBackend

    for owner in (Message, Queue, SQSBackend):
        for name, member in list(vars(owner).items()):
            if not name.startswith("_"):
                monkeypatch.setattr(owner, name, member)  # so that what is mended is put back at the end
    monkeypatch.setattr(mended_sqs, "client_is_gone", lambda: False)
    mended_sqs.mend()
    return Emulated(SQSBackend("us-east-1", "123456789012"))


def test_one_message_is_not_handed_to_two_receivers_that_come_together(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.sqs.models import Message

    mark, marking = Message.mark_received, list[str]()

    def mark_when_both_have_come(message: Message, visibility_timeout: int | None = None) -> None:
        marking.append(message.body)
        wait_until(lambda: len(marking) == 2 or emulated.condition.lock.wanted.is_set(), "the other receiver comes")
        mark(message, visibility_timeout)

    monkeypatch.setattr(Message, "mark_received", mark_when_both_have_come)
    emulated.send("once")
    found: list[Any] = []
    receivers = [threading.Thread(target=lambda: found.extend(emulated.receive())) for _ in range(2)]
    for receiver in receivers:
        receiver.start()
    for receiver in receivers:
        receiver.join()
    assert [message.body for message in found] == ["once"]


class Looked(list[Any]):
    """A list that says when somebody has looked through all of it for the first time."""

    def __init__(self, items: Iterable[Any], at_end: Callable[[], None]) -> None:
        super().__init__(items)
        self._at_end = at_end

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        at_end, self._at_end = self._at_end, lambda: None
        at_end()


def test_a_message_that_comes_while_another_one_is_deleted_is_not_lost(emulated: Emulated) -> None:
    emulated.send("old")
    (old,) = emulated.receive()
    sending = threading.Thread(target=lambda: emulated.send("new"))

    def send_meanwhile() -> None:
        sending.start()
        wait_until(
            lambda: emulated.condition.lock.wanted.is_set() or not sending.is_alive(), "it is sent, or has to wait"
        )

    emulated.queue._messages = Looked(emulated.queue._messages, send_meanwhile)
    emulated.backend.delete_message(NAME, old.receipt_handle)
    sending.join()
    assert emulated.bodies() == ["new"]


def test_a_message_that_is_handed_back_wakes_a_receiver_at_once(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mended_sqs, "_LOOK_AGAIN_SECONDS", (FOR_EVER_SECONDS, FOR_EVER_SECONDS))
    emulated.send("back")
    (message,) = emulated.receive()
    found: list[Any] = []
    receiver = threading.Thread(target=lambda: found.extend(emulated.receive(FOR_EVER_SECONDS)), daemon=True)
    receiver.start()
    assert emulated.condition.waiting.wait(60)

    emulated.backend.change_message_visibility(NAME, message.receipt_handle, 0)

    wait_until(lambda: bool(found), "the receiver has the message")
    assert [again.body for again in found] == ["back"]
