from __future__ import annotations

import threading

import pytest

from stepbench.queues import Outgoing
from tests.doubles import WatchedQueue, outage
from tests.factories import make_held
from worker import heartbeat
from worker.backlog import Backlog
from worker.held import HeldSteps


class Turns(threading.Event):
    """An event that lets a number of turns pass and is set then."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.left = turns
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        self.left -= 1
        return self.left < 0


def received(queue: WatchedQueue, count: int) -> list[str]:
    queue.send([Outgoing(str(number)) for number in range(count)])
    receipts = [message.receipt for message in queue.receive(count, 0)]
    queue.told.clear()
    return receipts


def test_every_held_message_is_extended_several_times_within_its_visibility_timeout() -> None:
    queue, held, turns = WatchedQueue(), HeldSteps(), Turns(2)
    for receipt in received(queue, 3):
        held.add(receipt)
    heartbeat.beat(queue, held, 30, turns)
    assert queue.told == [("queue", "hide for 30 s", 3)] * 2
    assert turns.waited == [30 / heartbeat.BEATS_PER_VISIBILITY_TIMEOUT] * 3
    assert heartbeat.BEATS_PER_VISIBILITY_TIMEOUT >= 3


def test_a_beat_that_fails_does_not_end_the_beating() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    held.add(received(queue, 1)[0])
    queue.faults["hide for 30 s"].append(outage())
    heartbeat.beat(queue, held, 30, Turns(3))
    assert len(queue.told) == 3


def test_what_is_let_go_is_extended_no_more() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    first, second = received(queue, 2)
    held.add(first)
    held.add(second)
    queue.before = lambda call: held.remove([first])
    heartbeat.beat(queue, held, 30, Turns(2))
    assert [count for _, _, count in queue.told] == [2, 1]


def test_what_is_handed_back_is_visible_at_once_and_held_no_more() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    receipts = received(queue, 2)
    held.add(receipts[0])
    heartbeat.hand_back(queue, held, receipts)
    assert held.receipts() == []
    assert queue.depth().visible == 2


def test_handing_back_nothing_is_no_call() -> None:
    queue = WatchedQueue()
    heartbeat.hand_back(queue, HeldSteps(), [])
    assert queue.told == []


def test_what_cannot_be_handed_back_is_let_go_all_the_same() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    (receipt,) = received(queue, 1)
    held.add(receipt)
    queue.faults["hide for 0 s"].append(outage())
    heartbeat.hand_back(queue, held, [receipt])
    assert held.receipts() == []


@pytest.mark.parametrize("turns", [1, 3])
def test_steps_that_waited_too_long_for_an_executor_are_handed_back(turns: int) -> None:
    queue, held = WatchedQueue(), HeldSteps()
    old, young = received(queue, 2)
    now_ns = 10_000_000_000
    backlog = Backlog(1, lambda: now_ns)
    backlog.put([make_held(old, received_at_ns=0), make_held(young, received_at_ns=now_ns)])
    held.add(old)
    held.add(young)
    heartbeat.hand_back_stale(queue, held, backlog, Turns(turns))
    assert queue.told == [("queue", "hide for 0 s", 1)]
    assert held.receipts() == [young]
    assert queue.depth().visible == 1
