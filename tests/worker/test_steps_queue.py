from __future__ import annotations

from collections.abc import Callable

import pytest

from stepbench.queues import Outgoing
from tests.doubles import WatchedQueue, outage, refused
from worker.steps_queue import StepsQueue

DENIED = refused("AccessDenied", "DeleteMessageBatch", status=403)
CALLS: dict[str, Callable[[StepsQueue, list[str]], object]] = {
    "delete": lambda queue, receipts: queue.delete(receipts),
    "hide for 30 s": lambda queue, receipts: queue.hide(receipts, 30),
    "hide for 0 s": lambda queue, receipts: queue.hide(receipts, 0),
}
each_call = pytest.mark.parametrize("call", CALLS)


class Desk:
    """The queue with one message received from it, and what it told of refusals."""

    def __init__(self) -> None:
        self.told: list[Exception] = []
        self.inner = WatchedQueue()
        self.queue = StepsQueue(self.inner, self.told.append)
        self.queue.send([Outgoing("step"), Outgoing("other")])
        self.receipt, self.other = (message.receipt for message in self.queue.receive(2, 0))

    def meets(self, error: Exception, call: str) -> None:
        self.inner.faults[call].append(error)
        with pytest.raises(type(error)):
            CALLS[call](self.queue, [self.receipt])


@each_call
def test_a_right_that_was_never_there_is_told_and_the_call_fails(call: str) -> None:
    desk = Desk()
    desk.meets(DENIED, call)
    assert desk.told == [DENIED]


@each_call
def test_a_queue_that_answered_such_a_call_once_may_refuse_for_a_while(call: str) -> None:
    desk = Desk()
    CALLS[call](desk.queue, [desk.other])
    desk.meets(DENIED, call)
    assert desk.told == []


def test_leave_to_hide_says_nothing_about_leave_to_delete() -> None:
    desk = Desk()
    desk.queue.hide([desk.other], 30)
    desk.meets(DENIED, "delete")
    assert desk.told == [DENIED]


@each_call
def test_a_call_for_no_message_says_nothing_about_leave(call: str) -> None:
    desk = Desk()
    CALLS[call](desk.queue, [])
    desk.meets(DENIED, call)
    assert desk.told == [DENIED]


@each_call
@pytest.mark.parametrize(
    "error", [outage(), refused("InternalError", status=500), refused("InvalidAddress")], ids=["outage", "500", "other"]
)
def test_what_is_no_lack_of_leave_is_an_error_of_the_call_alone(error: Exception, call: str) -> None:
    desk = Desk()
    desk.meets(error, call)
    assert desk.told == []
    desk.meets(DENIED, call)
    assert desk.told == [DENIED], "an error is no answer"


def test_every_call_reaches_the_queue() -> None:
    desk = Desk()
    desk.queue.hide([desk.receipt], 0)
    assert desk.queue.depth().visible == 1
    desk.queue.delete([desk.other])
    assert desk.inner.bodies() == ["step"]
