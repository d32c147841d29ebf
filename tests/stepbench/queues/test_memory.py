from __future__ import annotations

from stepbench.queues import Outgoing
from stepbench.queues.memory import MemoryQueue


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_message_in_memory_comes_again_exactly_when_its_visibility_timeout_is_over() -> None:
    clock = Clock()
    queue = MemoryQueue(visibility_seconds=30, clock=clock)
    queue.send([Outgoing("x")])
    clock.now += 5
    (first,) = queue.receive(1, 0)
    assert first.queue_wait_ns == 5_000_000_000
    clock.now += 29.9
    assert queue.receive(1, 0) == []
    clock.now += 0.1
    (second,) = queue.receive(1, 0)
    assert (second.receive_count, second.queue_wait_ns) == (2, 5_000_000_000)


def test_a_message_in_memory_that_was_received_too_often_is_a_dead_letter() -> None:
    queue = MemoryQueue(max_receives=2)
    queue.send([Outgoing("poison"), Outgoing("good")])
    for _ in range(2):
        queue.hide([message.receipt for message in queue.receive(2, 0)], 0)
    assert queue.dead_letters == []
    assert queue.receive(2, 0) == []
    assert sorted(queue.dead_letters) == ["good", "poison"]
