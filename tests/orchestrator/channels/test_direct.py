"""The direct channel over executors that the test plays; tests/runs/test_direct.py has real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import monotonic_ns

import pytest

from orchestrator.channels import Arrival
from orchestrator.channels.direct import DirectChannel
from stepbench.errors import ExecutorDied, StepTimeout
from stepbench.executors import team
from stepbench.messages import Completion
from tests.factories import make_done, make_executor_facts, make_message
from tests.orchestrator.channels.played import PlayedExecutors
from tests.processes import wait_until

Open = Callable[..., DirectChannel]


@pytest.fixture
def played() -> PlayedExecutors:
    return PlayedExecutors()


@pytest.fixture
def opened(played: PlayedExecutors) -> Iterator[Open]:
    """A channel over `executors`, closed at the end."""
    channels: list[DirectChannel] = []

    def open_(executors: int = 1, *, most_steps: int = 0) -> DirectChannel:
        channels.append(DirectChannel(played, executors, name="orchestrator", most_steps=most_steps))
        return channels[-1]

    yield open_
    for channel in channels:
        channel.close()


def came(channel: DirectChannel) -> Arrival:
    (arrival,) = channel.receive(60).completions
    channel.accept([arrival])
    return arrival


def done_from(begun_at_ns: int, done_at_ns: int) -> Completion:
    facts = make_executor_facts(begun_at_ns=begun_at_ns, done_at_ns=done_at_ns)
    return make_done(executor=facts, worker=None)


def test_what_a_queue_would_have_told_is_absent_and_no_request_was_sent_to_sqs(
    opened: Open, played: PlayedExecutors
) -> None:
    channel = opened()
    channel.send([make_message()])
    played.finish(1, make_done(worker=None))
    arrival = came(channel)
    assert (arrival.results_wait_ns, arrival.results_receive_count) == (None, None)
    facts = arrival.completion.worker
    assert facts is not None
    assert (facts.worker, facts.queue_wait_ns, facts.receive_count) == ("orchestrator", None, None)
    assert (facts.sqs_requests, facts.sqs_throttled) == (0, 0)


def test_worker_wait_is_all_from_the_dispatch_to_the_begin_and_from_done_to_the_way_back(
    opened: Open, played: PlayedExecutors
) -> None:
    channel = opened()
    (sent,) = channel.send([make_message()])
    begun_at_ns, done_at_ns = sent.began_at_ns + 700, sent.began_at_ns + 1_900
    before_ns = monotonic_ns()
    played.finish(1, done_from(begun_at_ns, done_at_ns))
    arrival = came(channel)
    assert arrival.completion.worker is not None
    back_ns = arrival.completion.worker.worker_wait_ns - 700
    assert before_ns - done_at_ns <= back_ns <= arrival.received_at_ns - done_at_ns


def test_a_step_waits_until_an_executor_is_free_and_the_first_that_came_is_the_first_that_begins(
    opened: Open, played: PlayedExecutors
) -> None:
    channel = opened(2)
    channel.send([make_message(chain=chain) for chain in range(1, 6)])
    assert sorted(played.begun) == [1, 2], "there is an executor for each of two"
    for chain in range(1, 6):
        wait_until(lambda: chain in played.begun, "it is begun")  # noqa: B023 # called before the next one
        assert max(played.begun) <= chain + 1, "none has overtaken another"
        played.finish(chain, make_done(chain=chain, worker=None))
        came(channel)
    assert channel.is_silent()


@pytest.mark.parametrize(
    "error",
    [ExecutorDied("it was killed", phase="upload"), StepTimeout("the step ran longer", phase="download")],
    ids=["death", "timeout"],
)
def test_an_executor_that_is_lost_over_a_step_fails_it_with_its_phase_and_is_replaced(
    opened: Open, played: PlayedExecutors, error: ExecutorDied | StepTimeout
) -> None:
    channel = opened()
    channel.send([make_message(attempt=1)])
    played.lose(1, error)
    failure = came(channel).completion
    assert failure.error is not None
    assert (failure.error.error_class, failure.error.phase, failure.error.retryable) == (
        type(error).__name__,
        error.phase,
        True,
    )
    channel.send([make_message(attempt=2)])
    played.finish(1, make_done(attempt=2, worker=None))
    assert came(channel).completion.ok
    assert [executor.name for executor in played.started] == ["e1", "e2"]
    assert played.begun[1] == "e2"


def test_an_executor_is_replaced_after_its_share_of_steps(opened: Open, played: PlayedExecutors) -> None:
    channel = opened(most_steps=2)
    for chain in range(1, 6):
        channel.send([make_message(chain=chain)])
        played.finish(chain, make_done(chain=chain, worker=None))
        came(channel)
    assert [played.begun[chain] for chain in range(1, 6)] == ["e1", "e1", "e2", "e2", "e3"]


def test_an_executor_that_dies_without_a_step_is_replaced_and_costs_none_an_attempt(
    opened: Open, played: PlayedExecutors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "IDLE_CHECK_SECONDS", 0.01)
    channel = opened()
    played.started[0].kill()
    wait_until(lambda: len(played.started) == 2, "another one is started")
    channel.send([make_message()])
    played.finish(1, make_done(worker=None))
    assert came(channel).completion.ok
    assert played.begun[1] == "e2"


def test_a_bug_behind_the_channel_ends_the_run_and_does_not_hang_it(opened: Open, played: PlayedExecutors) -> None:
    channel = opened()
    channel.send([make_message()])
    played.ends[1].put(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        channel.receive(60)


def test_a_channel_that_is_closed_leaves_no_thread_and_no_executor(opened: Open, played: PlayedExecutors) -> None:
    before = set(threading.enumerate())
    channel = opened(3)
    channel.send([make_message()])
    channel.close()
    assert set(threading.enumerate()) <= before
    assert not any(executor.lives() for executor in played.started)


def test_an_executor_that_is_still_starting_when_the_channel_ends_is_ended_when_it_is_up(
    opened: Open, played: PlayedExecutors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "IDLE_CHECK_SECONDS", 0.01)
    channel, may_be_ready = opened(), threading.Event()
    played.on_start = lambda executor: may_be_ready.wait(60)
    played.started[0].kill()
    wait_until(lambda: len(played.started) == 2, "another one is started")
    channel.abandon()
    may_be_ready.set()
    wait_until(lambda: not played.started[1].lives(), "it is ended")
