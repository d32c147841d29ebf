from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from stepbench.executors.backlog import Backlog
from stepbench.queues import Outgoing
from tests.doubles import WatchedQueue, outage
from tests.factories import make_held
from tests.locks import TellingLock
from tests.processes import wait_until
from worker import heartbeat
from worker.held import HeldStep, HeldSteps
from worker.pulse import Pulse


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


def received(queue: WatchedQueue, count: int) -> list[HeldStep]:
    queue.send([Outgoing(str(number)) for number in range(count)])
    steps = [make_held(message.receipt) for message in queue.receive(count, 0)]
    queue.told.clear()
    return steps


def test_every_held_message_is_extended_several_times_within_its_visibility_timeout() -> None:
    queue, held, turns = WatchedQueue(), HeldSteps(), Turns(2)
    for step in received(queue, 3):
        held.add(step)
    heartbeat.beat(queue, held, 30, turns, Pulse())
    assert queue.told == [("queue", "hide for 30 s", 3)] * 2
    assert turns.waited == [30 / heartbeat.BEATS_PER_VISIBILITY_TIMEOUT] * 3
    assert heartbeat.BEATS_PER_VISIBILITY_TIMEOUT >= 3


def test_a_beat_that_fails_does_not_end_the_beating() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    held.add(received(queue, 1)[0])
    queue.faults["hide for 30 s"].append(outage())
    heartbeat.beat(queue, held, 30, Turns(3), Pulse())
    assert len(queue.told) == 3


def test_what_is_let_go_is_extended_no_more() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    first, second = received(queue, 2)
    held.add(first)
    held.add(second)
    queue.before = lambda call: held.remove([first.receipt])
    heartbeat.beat(queue, held, 30, Turns(2), Pulse())
    assert [count for _, _, count in queue.told] == [2, 1]


def test_what_is_handed_back_is_visible_at_once_and_held_no_more() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    steps = received(queue, 2)
    held.add(steps[0])
    heartbeat.hand_back(queue, held, steps)
    assert held.steps() == []
    assert queue.depth().visible == 2


def test_handing_back_nothing_is_no_call() -> None:
    queue = WatchedQueue()
    heartbeat.hand_back(queue, HeldSteps(), [])
    assert queue.told == []


def test_what_cannot_be_handed_back_is_let_go_all_the_same() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    (step,) = received(queue, 1)
    held.add(step)
    queue.faults["hide for 0 s"].append(outage())
    heartbeat.hand_back(queue, held, [step])
    assert held.steps() == []


@pytest.mark.parametrize("turns", [1, 3])
def test_steps_that_waited_too_long_for_an_executor_are_handed_back(turns: int) -> None:
    queue, held = WatchedQueue(), HeldSteps()
    now_ns = 10_000_000_000
    old, young = (
        replace(step, received_at_ns=at_ns) for step, at_ns in zip(received(queue, 2), (0, now_ns), strict=True)
    )
    backlog: Backlog[HeldStep] = Backlog(1, lambda: now_ns)
    backlog.put([old, young])
    held.add(old)
    held.add(young)
    heartbeat.hand_back_stale(queue, held, backlog, Turns(turns), Pulse())
    assert queue.told == [("queue", "hide for 0 s", 1)]
    assert held.steps() == [young]
    assert queue.depth().visible == 1


def test_what_is_handed_back_during_a_beat_is_not_hidden_again_by_it() -> None:
    queue, held = WatchedQueue(), HeldSteps()
    (step,) = received(queue, 1)
    held.add(step)
    lock: Any = TellingLock()
    held.hiding = lock
    handing_back = threading.Thread(target=lambda: heartbeat.hand_back(queue, held, [step]))

    def hand_back_during_the_beat(call: str) -> None:
        if call == "hide for 30 s":
            handing_back.start()
            wait_until(
                lambda: lock.wanted.is_set() or not handing_back.is_alive(), "it is handed back, or waits for us"
            )

    queue.before = hand_back_during_the_beat
    heartbeat.beat(queue, held, 30, Turns(1), Pulse())
    handing_back.join()
    assert queue.depth().visible == 1


def test_what_the_queue_says_is_gone_is_disowned_once_and_extended_no_more() -> None:
    queue = WatchedQueue()
    disowned: list[HeldStep] = []
    held = HeldSteps(disowned.append)
    gone, ours = received(queue, 2)
    held.add(gone)
    held.add(ours)
    queue.delete([gone.receipt])
    queue.told.clear()
    with capture_logs() as lines:
        heartbeat.beat(queue, held, 30, Turns(3), Pulse())
    assert disowned == [gone]
    assert [count for _, _, count in queue.told] == [2, 1, 1]
    assert [line["event"] for line in lines] == ["messages are no longer this worker's"]
    assert {name: lines[0][name] for name in IDENTITY} == IDENTITY


IDENTITY = {"run": "r1", "chain": 1, "step": 1, "attempt": 1}


@pytest.mark.parametrize(("count", "told"), [(1, {"count": 1, **IDENTITY}), (2, {"count": 2})])
def test_what_goes_wrong_is_logged_with_how_many_steps_it_concerns_and_with_which_if_it_is_one(
    count: int, told: dict[str, Any]
) -> None:
    queue, held = WatchedQueue(), HeldSteps()
    steps = received(queue, count)
    for step in steps:
        held.add(step)
    for call in ("hide for 30 s", "hide for 0 s"):
        queue.faults[call].append(outage())
    backlog: Backlog[HeldStep] = Backlog(1, lambda: 10_000_000_000)
    backlog.put(steps)
    with capture_logs() as lines:
        heartbeat.beat(queue, held, 30, Turns(1), Pulse())
        heartbeat.hand_back_stale(queue, held, backlog, Turns(1), Pulse())
    assert [line["event"].split(" of ")[0] for line in lines] == [
        "could not extend the visibility",
        "handing back steps that waited too long for a free executor",
        "could not hand back messages",
    ]
    for line in lines:
        assert {name: line[name] for name in line.keys() & {"count", *IDENTITY}} == told
