from __future__ import annotations

import json
import threading
from time import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from structlog.testing import capture_logs
from tenacity import wait_none

from stepbench.executors.backlog import Backlog
from stepbench.guard import Guard
from stepbench.queue_urls import folder_of
from stepbench.queues import Outgoing
from tests.doubles import WatchedQueue, outage, refused
from tests.factories import BUCKET, PREFIX, STEPS_QUEUE, make_message, make_ref
from worker.held import HeldStep, HeldSteps
from worker.intake import Intake
from worker.publisher import Finished
from worker.pulse import Pulse

GUARD = Guard(BUCKET, PREFIX, folder_of(STEPS_QUEUE), "stepbench-results-", None, STEPS_QUEUE)


class Answers:
    """Stands for the publisher."""

    def __init__(self) -> None:
        self.finished: list[Finished] = []

    def put(self, finished: Finished) -> None:
        self.finished.append(finished)


class Rounds(Backlog[HeldStep]):
    """A backlog whose executors begin what has come, and which asks for more until every message was received once."""

    def __init__(self, executors: int, queue: WatchedQueue) -> None:
        super().__init__(executors)
        self._queue = queue
        self.begun: list[HeldStep] = []

    def room(self) -> int:
        while self.has_waiting():
            step = self.take()
            assert step is not None
            self.begun.append(step)
        unread = any(message.receive_count == 0 for message in self._queue._messages)
        return super().room() if unread else 0


class Desk:
    """An intake with all that it hands to."""

    def __init__(self, executors: int = 20) -> None:
        self.queue = WatchedQueue("steps")
        self.backlog = Rounds(executors, self.queue)
        self.held = HeldSteps()
        self.answers = Answers()
        self.stopping = threading.Event()
        publisher: Any = self.answers
        self.intake = Intake(self.queue, GUARD, self.backlog, self.held, publisher, self.stopping, Pulse())

    def run(self, *bodies: str) -> None:
        """Takes in messages with these bodies, then ends."""
        self.queue.send([Outgoing(body) for body in bodies])
        self.queue.told.clear()
        self.intake.run()

    @property
    def begun(self) -> list[HeldStep]:
        return self.backlog.begun

    def calls(self, call: str) -> list[int]:
        return [count for _, called, count in self.queue.told if called == call]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepbench.patience.wait_random_exponential", lambda max: wait_none())  # noqa: A006 # its name


def body(**changes: Any) -> str:
    return make_message(**changes).model_dump_json()


def test_a_step_that_may_run_waits_for_an_executor_and_is_held() -> None:
    desk = Desk()
    desk.run(body(chain=7))
    (step,) = desk.begun
    assert step.message.chain == 7
    assert step.received.receive_count == 1
    assert desk.held.steps() == [step]
    assert desk.calls("delete") == []


def test_as_many_messages_are_asked_for_as_there_is_room() -> None:
    desk = Desk(executors=13)
    desk.run(*[body()] * 11)
    assert desk.calls("receive") == [13, 3]


MALFORMED = {
    "no JSON": "not JSON",
    "no object": "[]",
    "an empty object": "{}",
    "an unknown version": json.dumps({**json.loads(body()), "v": 2}),
    "a missing field": json.dumps({k: v for k, v in json.loads(body()).items() if k != "input"}),
    "a number as text": json.dumps({**json.loads(body()), "chain": "1"}),
    "a results queue of somebody else": body(results_queue_url="https://evil.example/123456789012/x"),
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_message_that_is_not_understood_is_left_to_the_queues_redrive_and_the_next_one_runs(bad: str) -> None:
    desk = Desk()
    desk.run(bad, body(chain=2))
    assert [step.message.chain for step in desk.begun] == [2]
    assert len(desk.held.steps()) == 1
    assert desk.answers.finished == []
    assert desk.calls("delete") == []
    assert bad in desk.queue.bodies()


def test_a_field_that_is_not_known_is_ignored() -> None:
    desk = Desk()
    desk.run(json.dumps({**json.loads(body()), "invented_later": 1}))
    assert len(desk.begun) == 1


def test_an_expired_step_is_deleted_and_not_run() -> None:
    desk = Desk()
    desk.run(body(expires_at=time() - 1))
    assert desk.begun == []
    assert desk.held.steps() == []
    assert desk.queue.bodies() == []


def test_an_expired_step_that_cannot_be_deleted_stops_nobody() -> None:
    desk = Desk()
    desk.queue.faults["delete"].append(outage())
    with capture_logs() as lines:
        desk.run(body(run="r1", chain=1, step=5, attempt=3, expires_at=time() - 1), body(chain=2))
    assert [step.message.chain for step in desk.begun] == [2]
    assert [line["event"] for line in lines] == ["step expired", "could not delete an expired step message"]
    for line in lines:
        assert (line["run"], line["chain"], line["step"], line["attempt"]) == ("r1", 1, 5, 3)


def test_a_step_that_reads_outside_the_workers_prefix_is_answered_with_a_failure_for_good() -> None:
    desk = Desk()
    desk.run(body(chain=3, attempt=2, input=make_ref(uri="s3://other/x")), body(chain=4))
    assert [step.message.chain for step in desk.begun] == [4]
    (finished,) = desk.answers.finished
    completion = finished.completion
    assert (completion.chain, completion.attempt) == (3, 2)
    assert completion.error is not None
    assert completion.error.error_class == "MessageRefused"
    assert not completion.error.retryable
    assert completion.error.phase is None
    assert "s3://other/x" in completion.error.message
    assert finished.step in desk.held.steps(), "until its answer is published"


def test_what_a_poll_still_brings_after_the_end_began_is_handed_back() -> None:
    desk = Desk()
    desk.stopping.set()
    desk.run(body(), body())
    assert desk.begun == []
    assert desk.held.steps() == []
    assert desk.queue.depth().visible == 2


def test_what_comes_between_the_look_at_the_stop_and_the_backlogs_end_is_handed_back() -> None:
    desk = Desk()

    def end_during_the_poll(call: str) -> None:
        if call == "receive":
            assert desk.backlog.close() == []

    desk.queue.before = end_during_the_poll
    desk.run(body())
    assert desk.begun == []
    assert desk.held.steps() == []
    assert desk.queue.depth().visible == 1


@pytest.mark.parametrize("code", ["AccessDenied", "AWS.SimpleQueueService.NonExistentQueue"])
def test_a_queue_that_refuses_before_it_ever_answered_is_an_error(code: str) -> None:
    desk = Desk()
    desk.queue.faults["receive"].append(refused(code))
    with pytest.raises(ClientError, match=code):
        desk.run(body())


@pytest.mark.parametrize("error", [outage(), refused("InternalError", status=500)], ids=["outage", "server error"])
def test_an_outage_at_the_start_is_waited_for(error: Exception) -> None:
    desk = Desk()
    desk.queue.faults["receive"].extend([error] * 3)
    desk.run(body())
    assert len(desk.begun) == 1


def test_a_queue_that_answered_once_may_refuse_for_a_while() -> None:
    desk = Desk()

    def refuse_the_second(call: str) -> None:
        if desk.calls("receive") == [20, 10]:
            desk.queue.faults["receive"].extend([refused("AccessDenied")] * 3)

    desk.queue.before = refuse_the_second
    desk.run(*[body()] * 11)
    assert desk.calls("receive") == [20, 10, 10, 10, 10]
    assert len(desk.begun) == 11


def test_an_outage_at_the_end_is_not_waited_for() -> None:
    desk = Desk()
    desk.stopping.set()
    desk.queue.faults["receive"].append(outage())
    desk.run(body())
    assert desk.calls("receive") == [20]
