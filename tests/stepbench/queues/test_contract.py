from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from stepbench.queues import MAX_BATCH_MESSAGES, MAX_WAIT_SECONDS, Depth, Outgoing, Queue, Received
from stepbench.queues.memory import MemoryQueue
from tests.embedded import clients_at, emulated, new_queue
from tests.factories import outgoing

LONG_SECONDS = 60
"""Visibility of a queue whose messages must not come back while a test looks."""


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    with emulated("sqs") as endpoint:
        yield clients_at(endpoint).sqs


def memory_queue(request: pytest.FixtureRequest) -> Queue:
    return MemoryQueue(LONG_SECONDS)


def sqs_queue(request: pytest.FixtureRequest) -> Queue:
    return new_queue(request.getfixturevalue("sqs"), LONG_SECONDS)


@pytest.fixture(params=[memory_queue, sqs_queue], ids=["memory", "sqs"])
def queue(request: pytest.FixtureRequest) -> Queue:
    made: Queue = request.param(request)
    return made


def receive_one(queue: Queue) -> Received:
    """The next message, waiting for it as long as a poll may last."""
    (message,) = queue.receive(1, MAX_WAIT_SECONDS)
    return message


def receive_all(queue: Queue) -> list[Received]:
    found: list[Received] = []
    while batch := queue.receive(MAX_BATCH_MESSAGES, 0):
        found += batch
    return found


def test_any_number_of_messages_is_sent_and_each_comes_out_once_while_it_is_hidden(queue: Queue) -> None:
    bodies = [f"message {number}" for number in range(2 * MAX_BATCH_MESSAGES + 5)]
    queue.send(outgoing(*bodies))
    assert sorted(message.body for message in receive_all(queue)) == sorted(bodies)
    assert queue.receive(1, 0) == []


def test_a_receive_gives_no_more_than_it_was_asked_for_and_never_more_than_ten(queue: Queue) -> None:
    queue.send(outgoing(*(str(number) for number in range(25))))
    assert len(queue.receive(3, 0)) <= 3
    assert len(queue.receive(100, 0)) <= MAX_BATCH_MESSAGES


def test_an_empty_queue_gives_nothing(queue: Queue) -> None:
    assert queue.receive(MAX_BATCH_MESSAGES, 0) == []


def test_a_waiting_receiver_wakes_when_a_message_comes(queue: Queue) -> None:
    found: list[Received] = []
    receiver = threading.Thread(target=lambda: found.extend(queue.receive(1, MAX_WAIT_SECONDS)))
    receiver.start()
    queue.send(outgoing("wake up"))
    receiver.join()
    assert [message.body for message in found] == ["wake up"]


def test_a_message_that_is_neither_deleted_nor_kept_hidden_comes_again(queue: Queue) -> None:
    queue.send(outgoing("again"))
    first = receive_one(queue)
    queue.hide([first.receipt], 1)
    second = receive_one(queue)
    assert (second.id, second.body) == (first.id, first.body)
    assert (first.receive_count, second.receive_count) == (1, 2)
    assert second.receipt != first.receipt


def test_a_message_that_is_kept_hidden_does_not_come_again(queue: Queue) -> None:
    queue.send(outgoing("held"))
    while True:
        held = receive_one(queue)
        began = monotonic()
        queue.hide([held.receipt], 1)
        queue.hide([held.receipt], LONG_SECONDS)
        if monotonic() - began < 1:
            break
        queue.hide([held.receipt], 0)  # too late on a busy machine: it was visible in between
    assert queue.receive(1, 2) == []


def test_hiding_for_no_time_hands_a_message_back_at_once(queue: Queue) -> None:
    queue.send(outgoing("handed back"))
    queue.hide([receive_one(queue).receipt], 0)
    (again,) = queue.receive(1, 0)
    assert (again.body, again.receive_count) == ("handed back", 2)


def test_more_messages_than_a_batch_holds_are_hidden_and_deleted_alike(queue: Queue) -> None:
    queue.send(outgoing(*(str(number) for number in range(23))))
    queue.hide([message.receipt for message in receive_all(queue)], 0)
    again = receive_all(queue)
    assert len(again) == 23
    queue.delete([message.receipt for message in again])
    assert queue.depth() == Depth(visible=0, in_flight=0, delayed=0)


def test_a_deleted_message_is_gone(queue: Queue) -> None:
    queue.send(outgoing("one", "two"))
    first, second = receive_one(queue), receive_one(queue)
    queue.delete([first.receipt])
    queue.hide([second.receipt], 0)
    assert [message.body for message in receive_all(queue)] == [second.body]


def test_a_receipt_that_is_no_longer_valid_is_no_error(queue: Queue) -> None:
    queue.send(outgoing("twice"))
    stale = receive_one(queue)
    queue.hide([stale.receipt], 0)
    fresh = receive_one(queue)
    queue.delete([fresh.receipt])
    queue.delete([fresh.receipt])
    queue.hide([fresh.receipt], LONG_SECONDS)
    queue.delete([stale.receipt])
    queue.hide([stale.receipt], 0)
    assert queue.depth().empty


def test_whoever_extends_learns_which_messages_are_gone(queue: Queue) -> None:
    queue.send(outgoing(*(str(number) for number in range(12))))
    receipts = [message.receipt for message in receive_all(queue)]
    assert queue.hide(receipts, LONG_SECONDS) == []
    gone = [receipts[1], receipts[11]]
    queue.delete(gone)
    assert queue.hide(receipts, LONG_SECONDS) == gone


def test_a_bad_receipt_does_not_keep_the_others_of_its_batch(queue: Queue) -> None:
    queue.send(outgoing("one", "two"))
    receipts = [message.receipt for message in receive_all(queue)]
    queue.delete([receipts[0], "no receipt at all", receipts[1]])
    assert queue.depth().empty


def test_the_depth_tells_what_waits_and_what_is_in_somebodys_hands(queue: Queue) -> None:
    assert queue.depth().empty
    queue.send(outgoing("one", "two", "three"))
    assert queue.depth() == Depth(visible=3, in_flight=0, delayed=0)
    message = receive_one(queue)
    assert queue.depth() == Depth(visible=2, in_flight=1, delayed=0)
    assert not queue.depth().empty
    queue.delete([message.receipt])
    assert queue.depth() == Depth(visible=2, in_flight=0, delayed=0)


def test_the_stamps_are_those_of_sending_and_of_the_first_receive(queue: Queue) -> None:
    queue.send(outgoing("stamped"))
    first = receive_one(queue)
    queue.hide([first.receipt], 0)
    second = receive_one(queue)
    assert first.sent_at_ms <= first.first_received_at_ms
    assert (second.sent_at_ms, second.first_received_at_ms) == (first.sent_at_ms, first.first_received_at_ms)
    assert first.queue_wait_ns == (first.first_received_at_ms - first.sent_at_ms) * 1_000_000


def test_bodies_arrive_as_they_were_sent(queue: Queue) -> None:
    body = '{"text": "naïve ☃ 𝄞 \\u0000 & <b>", "tab": "\t\n"}'
    queue.send(outgoing(body))
    assert receive_one(queue).body == body


def test_messages_of_a_group_are_hidden_one_by_one_as_on_any_standard_queue(queue: Queue) -> None:
    queue.send([Outgoing(body, group="run-1") for body in ("one", "two")])
    receive_one(queue)
    receive_one(queue)


def test_nothing_to_send_delete_or_hide_is_no_call(queue: Queue) -> None:
    queue.send([])
    queue.delete([])
    queue.hide([], 10)
    assert queue.depth().empty
