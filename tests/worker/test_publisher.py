from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic_ns, time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from tenacity import wait_none

from stepbench.errors import PartlyRefused
from stepbench.executors.backlog import Backlog
from stepbench.messages import Completion, parse
from stepbench.queues import Outgoing
from stepbench.sqs_calls import Counted, SqsCalls
from tests.doubles import WatchedQueue, outage, queue_gone, refused
from tests.factories import RESULTS_QUEUE, make_done, make_executor_facts, make_failed, make_held
from worker import publisher as publisher_module
from worker.held import HeldStep, HeldSteps
from worker.publisher import COMPLETIONS_LINGER_SECONDS, DELETIONS_LINGER_SECONDS, Finished, Publisher
from worker.pulse import Pulse

SECOND_NS = 1_000_000_000


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepbench.patience.wait_random_exponential", lambda max: wait_none())  # noqa: A006 # its name


class Desk:
    """A publisher between two queues that tell their calls in one list."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []
        self.steps = WatchedQueue("steps", self.told)
        self.results = {RESULTS_QUEUE: WatchedQueue("results", self.told)}
        self.backlog: Backlog[HeldStep] = Backlog(4)
        self.held = HeldSteps()
        self.discarded: list[Completion] = []
        self.sqs_calls = SqsCalls()
        self.publisher = Publisher(
            self.steps,
            lambda url: self.results[url],
            self.backlog,
            self.held,
            "w1",
            "host1",
            self.discarded.append,
            Pulse(),
            self.sqs_calls,
        )

    @property
    def results_queue(self) -> WatchedQueue:
        return self.results[RESULTS_QUEUE]

    def holds(self, count: int, **changes: Any) -> list[HeldStep]:
        """Step messages that are received and held."""
        self.steps.send([Outgoing(str(number)) for number in range(count)])
        held: list[HeldStep] = []
        while len(held) < count:
            held += [make_held(message.receipt, **changes) for message in self.steps.receive(10, 0)]
        for step in held:
            self.held.add(step)
        self.told.clear()
        return held

    def publishes(self, *finished: Finished) -> None:
        """All of these, to the end."""
        for each in finished:
            self.publisher.put(each)
        self.publisher.close()
        self.publisher.run()

    def published(self) -> list[Completion]:
        return [parse(Completion, body) for body in self.results_queue.bodies()]


def finished(step: HeldStep, completion: Completion | None = None) -> Finished:
    return Finished(step, completion or make_done(), monotonic_ns())


def test_a_completion_is_sent_before_its_step_message_is_deleted() -> None:
    desk = Desk()
    (step,) = desk.holds(1)
    desk.publishes(finished(step))
    assert desk.told == [("results", "send", 1), ("steps", "delete", 1)]
    assert len(desk.published()) == 1
    assert desk.steps.bodies() == []
    assert desk.held.steps() == []


@pytest.mark.parametrize("failures", [0, 1])
def test_while_a_completion_that_is_sent_at_once_is_not_accepted_its_step_message_is_not_deleted(
    failures: int,
) -> None:
    desk = Desk()
    desk.results_queue.faults["send"].extend([outage()] * failures)
    desk.results_queue.before = lambda call: desk.publisher._delete(now=True)  # as the thread may at any moment
    (step,) = desk.holds(1)
    desk.publisher.publish(finished(step))
    assert desk.told == [("results", "send", 1)]
    assert desk.held.steps() == [step]
    desk.publishes()
    assert desk.told == [("results", "send", 1)] * (1 + failures) + [("steps", "delete", 1)]


def test_many_completions_share_calls_and_so_do_the_deletions() -> None:
    desk = Desk()
    desk.publishes(*(finished(step) for step in desk.holds(23)))
    assert [told for told in desk.told if told[1] == "send"] == [
        ("results", "send", 10),
        ("results", "send", 10),
        ("results", "send", 3),
    ]
    sent = deleted = 0
    for _, call, count in desk.told:
        sent, deleted = (sent + count, deleted) if call == "send" else (sent, deleted + count)
        assert deleted <= sent, "never the other way round"
    assert (sent, deleted) == (23, 23)
    assert desk.steps.bodies() == []


def test_completions_of_two_runs_go_each_to_its_own_queue() -> None:
    desk = Desk()
    other = RESULTS_QUEUE.replace("r1", "r2")
    desk.results[other] = WatchedQueue("other", desk.told)
    first, second = desk.holds(2)
    third = make_held("third", results_queue_url=other)
    desk.publishes(finished(first), finished(third, make_done(run="r2")), finished(second))
    assert [completion.run for completion in desk.published()] == ["r1", "r1"]
    assert [parse(Completion, body).run for body in desk.results[other].bodies()] == ["r2"]
    assert desk.told[:2] == [("results", "send", 2), ("other", "send", 1)], "one call for each queue"


def test_a_completion_carries_the_workers_half_of_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_module, "monotonic_ns", lambda: 9_000)
    desk = Desk()
    step = make_held("a", received_at_ns=1_000, receive_count=3)
    executor = make_executor_facts(begun_at_ns=1_700, done_at_ns=8_800)
    desk.publishes(Finished(step, make_done(executor=executor, worker=None), 9_000))
    (completion,) = desk.published()
    facts = completion.worker
    assert facts is not None
    assert (facts.worker, facts.host, facts.receive_count) == ("w1", "host1", 3)
    assert facts.queue_wait_ns == 4_000_000
    assert facts.worker_wait_ns == (1_700 - 1_000) + (9_000 - 8_800)
    assert completion.executor == executor


def test_a_failure_tells_which_worker_it_happened_at() -> None:
    desk = Desk()
    (step,) = desk.holds(1)
    desk.publishes(finished(step, make_failed()))
    (completion,) = desk.published()
    assert completion.worker is not None
    assert completion.worker.worker == "w1"
    assert completion.error is not None


# --- lingering ----------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now_ns = 100 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(publisher_module, "monotonic_ns", made)
    return made


def test_the_last_completion_of_a_burst_never_waits(clock: Clock) -> None:
    desk = Desk()
    desk.publisher.put(Finished(make_held(), make_done(), clock.now_ns))
    assert desk.publisher._wait_seconds() <= 0


def test_with_steps_about_to_begin_a_completion_waits_a_moment_for_others(clock: Clock) -> None:
    desk = Desk()
    desk.backlog.put([make_held()])
    desk.publisher.put(Finished(make_held(), make_done(), clock.now_ns))
    assert desk.publisher._wait_seconds() == pytest.approx(COMPLETIONS_LINGER_SECONDS)
    clock.now_ns += int(COMPLETIONS_LINGER_SECONDS * SECOND_NS)
    assert desk.publisher._wait_seconds() <= 0


def test_a_full_batch_does_not_wait(clock: Clock) -> None:
    desk = Desk()
    desk.backlog.put([make_held()])
    for _ in range(10):
        desk.publisher.put(Finished(make_held(), make_done(), clock.now_ns))
    assert desk.publisher._wait_seconds() <= 0


def test_deletions_are_gathered_over_a_longer_moment_but_not_for_ever(clock: Clock) -> None:
    desk = Desk()
    (step,) = desk.holds(1)
    desk.publisher._publish(RESULTS_QUEUE, [finished(step)])
    desk.publisher._delete(now=False)
    assert desk.told == [("results", "send", 1)]
    assert desk.held.steps() == [step], "held until it is deleted"
    assert desk.publisher._wait_seconds() == pytest.approx(DELETIONS_LINGER_SECONDS)
    clock.now_ns += int(DELETIONS_LINGER_SECONDS * SECOND_NS)
    assert desk.publisher._wait_seconds() <= 0
    desk.publisher._delete(now=False)
    assert desk.told[-1] == ("steps", "delete", 1)
    assert desk.held.steps() == []


def test_with_nothing_to_do_it_sleeps_until_something_comes() -> None:
    desk = Desk()
    (step,) = desk.holds(1)
    published = threading.Event()
    desk.results_queue.before = lambda call: published.set()
    thread = threading.Thread(target=desk.publisher.run)
    thread.start()
    desk.publisher.put(finished(step))
    assert published.wait(60)
    desk.publisher.close()
    thread.join()
    assert desk.steps.bodies() == []


# --- trouble ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [outage(), refused("InternalError", status=500), refused("ThrottlingException"), PartlyRefused("1 of 2")],
    ids=["outage", "server error", "throttled", "partly refused"],
)
def test_completions_are_sent_again_and_again_until_they_are_accepted_and_nothing_is_deleted_before(
    error: Exception,
) -> None:
    desk = Desk()
    desk.results_queue.faults["send"].extend([error] * 7)
    first, second = desk.holds(2)
    desk.publishes(finished(first), finished(second, make_done(chain=2)))
    assert desk.told == [("results", "send", 2)] * 8 + [("steps", "delete", 2)]
    assert [completion.chain for completion in desk.published()] == [1, 2]


def test_a_right_that_was_never_there_ends_the_worker_with_the_queues_own_error() -> None:
    desk = Desk()
    desk.results_queue.faults["send"].append(refused("AccessDenied", status=403))
    (step,) = desk.holds(1)
    with pytest.raises(ClientError, match="AccessDenied"):
        desk.publishes(finished(step))
    assert desk.steps.bodies() != []


def logged(desk: Desk, *steps: HeldStep) -> list[tuple[str, dict[str, Any]]]:
    """The lines that are written while these steps' completions are published: event and whom it is about."""
    with capture_logs(processors=[merge_contextvars]) as lines:
        desk.publishes(*(finished(step) for step in steps))
    told = {"count", "run", "chain", "step", "attempt"}
    return [(line["event"], {name: line[name] for name in line.keys() & told}) for line in lines]


def outages(desk: Desk) -> None:
    desk.results_queue.faults["send"].extend([outage(), outage()])


def gone(desk: Desk) -> None:
    desk.results_queue.faults["send"].append(queue_gone())


def outage_in_a_hurry(desk: Desk) -> None:
    desk.publisher.giving_up.set()
    desk.results_queue.faults["send"].append(outage())


def failing_deletions(desk: Desk) -> None:
    desk.steps.faults["delete"].append(outage())


@pytest.mark.parametrize(
    ("arrange", "events"),
    [
        (outages, [*["could not publish completions"] * 2, "steps done"]),
        (gone, ["results queue is gone"]),
        (outage_in_a_hurry, ["could not publish completions before the end"]),
        (failing_deletions, ["could not delete step messages"]),
    ],
)
def test_trouble_with_one_step_is_logged_with_its_identity(arrange: Callable[[Desk], None], events: list[str]) -> None:
    desk = Desk()
    (step,) = desk.holds(1, chain=4, step=3, attempt=2)
    arrange(desk)
    lines = logged(desk, step)
    assert [event for event, _ in lines] == events
    for _, told in lines:
        assert told.items() >= {"run": "r1", "chain": 4, "step": 3, "attempt": 2}.items()


def test_trouble_with_several_steps_is_logged_with_their_number() -> None:
    desk = Desk()
    desk.results_queue.faults["send"].append(outage())
    assert logged(desk, *desk.holds(3)) == [
        ("could not publish completions", {"count": 3}),
        ("steps done", {"count": 3}),
    ]


def test_each_step_that_a_results_queue_refuses_is_logged_with_its_identity() -> None:
    desk = Desk()
    desk.publisher._answered = True
    desk.results_queue.faults["send"].append(refused("AccessDenied", status=403))
    (first,), (second,) = desk.holds(1, chain=1, attempt=2), desk.holds(1, chain=2)
    assert [told for _, told in logged(desk, first, second)] == [
        {"run": "r1", "chain": 1, "step": 1, "attempt": 2},
        {"run": "r1", "chain": 2, "step": 1, "attempt": 1},
    ]


def test_one_results_queue_that_refuses_leaves_its_steps_to_come_again_and_holds_up_no_other() -> None:
    desk = Desk()
    other = RESULTS_QUEUE.replace("r1", "r2")
    desk.results[other] = WatchedQueue("other", desk.told)
    desk.results[other].faults["send"].append(refused("AccessDenied", status=403))
    first, third = desk.holds(2)
    (second,) = desk.holds(1, results_queue_url=other)
    desk.publishes(finished(first), finished(second), finished(third))
    assert len(desk.published()) == 2
    assert len(desk.steps.bodies()) == 1
    assert desk.held.steps() == []


def test_a_step_whose_results_queue_is_gone_and_that_has_expired_is_cleaned_up_after() -> None:
    desk = Desk()
    desk.results_queue.faults["send"].append(queue_gone())
    (step,) = desk.holds(1, expires_at=time() - 1)
    done = make_done()
    desk.publishes(finished(step, done))
    assert desk.discarded == [done]
    assert desk.steps.bodies() == []
    assert desk.held.steps() == []


def test_a_step_whose_results_queue_is_gone_and_that_has_not_expired_is_left_to_come_again() -> None:
    desk = Desk()
    desk.results_queue.faults["send"].append(queue_gone())
    (step,) = desk.holds(1)
    desk.publishes(finished(step))
    assert desk.discarded == []
    assert len(desk.steps.bodies()) == 1
    assert desk.held.steps() == [], "so that its visibility timeout runs out"


def test_of_a_batch_whose_queue_is_gone_each_step_is_judged_by_its_own_expiry() -> None:
    desk = Desk()
    desk.results_queue.faults["send"].append(queue_gone())
    (old,), (young,) = desk.holds(1, expires_at=time() - 1), desk.holds(1)
    desk.publishes(finished(young), finished(old))
    assert len(desk.discarded) == 1
    assert desk.told[-1] == ("steps", "delete", 1)
    assert len(desk.steps.bodies()) == 1


def test_in_a_hurried_end_what_cannot_be_published_is_left_to_be_delivered_again() -> None:
    desk = Desk()
    desk.results_queue.faults["send"].append(outage())
    desk.publisher.giving_up.set()
    (step,) = desk.holds(1)
    desk.publishes(finished(step))
    assert desk.told == [("results", "send", 1)]
    assert len(desk.steps.bodies()) == 1
    assert desk.held.steps() == []


def test_a_step_message_that_cannot_be_deleted_is_let_go_and_ends_nothing() -> None:
    desk = Desk()
    desk.steps.faults["delete"].append(outage())
    steps = desk.holds(21)
    desk.publishes(*(finished(step) for step in steps))
    assert len(desk.published()) == 21
    assert desk.held.steps() == []
    assert len(desk.steps.bodies()) == 10


def test_what_was_sent_to_sqs_is_told_once_with_the_first_completion_that_gets_through() -> None:
    desk = Desk()
    desk.sqs_calls.add(Counted(requests=5, throttled=3))
    desk.results_queue.faults["send"].extend([outage(), outage()])
    desk.publishes(*(Finished(step, make_done(), monotonic_ns()) for step in desk.holds(3)))
    told = [parse(Completion, body).worker for body in desk.results_queue.bodies()]
    counted = [(facts.sqs_requests, facts.sqs_throttled) for facts in told if facts is not None]
    assert counted == [(5, 3), (0, 0), (0, 0)]
