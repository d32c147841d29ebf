from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchestrator.channels import _results as results_module
from orchestrator.channels._outages import Outages
from orchestrator.channels._results import DELETIONS_LINGER_SECONDS, FOREIGN_DELAY_SECONDS
from orchestrator.channels.sqs import NO_ANSWER, SqsChannel
from stepbench.queues import Outgoing
from tests.doubles import WatchedQueue, refused
from tests.factories import make_done, make_failed, make_message, make_worker_facts

MALFORMED = {
    "no JSON": "not JSON",
    "an empty object": "{}",
    "an unknown version": make_done().model_dump_json().replace('"v":1', '"v":2'),
    "neither done nor failed": make_failed().model_copy(update={"error": None}).model_dump_json(),
    "done without an output": make_done().model_copy(update={"output": None}).model_dump_json(),
    "done without the executor's facts": make_done().model_copy(update={"executor": None}).model_dump_json(),
    "done without the worker's facts": make_done(worker=None).model_dump_json(),
}


def make_channel(
    *, own: bool = True, fair: bool = True, patience_seconds: float = 0.0
) -> tuple[SqsChannel, WatchedQueue, WatchedQueue]:
    told: list[tuple[str, str, int]] = []
    steps, results = WatchedQueue("steps", told), WatchedQueue("results", told)
    outages = Outages(NO_ANSWER, patience_seconds=patience_seconds)
    channel = SqsChannel(steps, results, "r1", fair=fair, results_are_own=own, outages=outages)
    return channel, steps, results


@pytest.mark.parametrize(("fair", "group"), [(True, "r1"), (False, None)])
def test_step_messages_carry_the_run_as_their_group_unless_that_is_turned_off(fair: bool, group: str | None) -> None:
    channel, steps, _ = make_channel(fair=fair)
    sent: list[Outgoing] = []
    steps.send = sent.extend  # type: ignore[method-assign,assignment] # looks at the groups, which a queue in memory drops
    channel.send([make_message(), make_message()])
    assert [message.group for message in sent] == [group, group]


def test_steps_are_sent_in_batches_and_each_batch_has_its_own_stamp() -> None:
    channel, steps, _ = make_channel()
    sent = channel.send([make_message() for _ in range(12)])
    assert steps.told == [("steps", "send", 10), ("steps", "send", 2)]
    assert len({id(stamp) for stamp in sent}) == 2
    assert sent[9].began_at_ns + sent[9].call_ns <= sent[10].began_at_ns


def test_a_hand_back_that_is_refused_does_not_hide_what_ended_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, _, results = make_channel()
    results.send([Outgoing(make_done().model_dump_json())])
    arrivals = channel.receive(0)

    def refuse(*_: object) -> None:
        raise refused("AccessDenied", "ChangeMessageVisibilityBatch", 403)

    monkeypatch.setattr(results, "hide", refuse)
    channel.hand_back(arrivals.completions)


def test_another_runs_completion_on_a_shared_queue_is_handed_back_for_a_moment_and_told() -> None:
    channel, _, results = make_channel(own=False)
    results.send([Outgoing(make_done(run="r2").model_dump_json()), Outgoing(make_done().model_dump_json())])
    arrivals = channel.receive(0)
    assert [arrival.completion.run for arrival in arrivals.completions] == ["r1"]
    (stray,) = arrivals.strays
    assert stray.event == "foreign"
    assert "r2" in stray.message
    least, most = FOREIGN_DELAY_SECONDS
    (hidden,) = [call for _, call, _ in results.told if call.startswith("hide")]
    assert least <= int(hidden.split()[2]) <= most
    assert len(results.bodies()) == 2


def test_other_runs_completions_are_handed_back_for_different_times_so_that_runs_do_not_keep_in_step() -> None:
    channel, _, results = make_channel(own=False)
    for _ in range(100):
        results.send([Outgoing(make_done(run="r2").model_dump_json())])
        channel.receive(0)
    assert len({call for _, call, _ in results.told if call.startswith("hide")}) > 1


def test_another_runs_completion_that_has_expired_is_deleted_and_told() -> None:
    channel, _, results = make_channel(own=False)
    results.send([Outgoing(make_done(run="r2", expires_at=time() - 1).model_dump_json())])
    (stray,) = channel.receive(0).strays
    assert stray.event == "expired"
    assert results.bodies() == []


def test_another_runs_completion_is_deleted_from_a_queue_that_nobody_else_reads_and_told() -> None:
    channel, _, results = make_channel(own=True)
    results.send([Outgoing(make_done(run="r2").model_dump_json()), Outgoing(make_done().model_dump_json())])
    arrivals = channel.receive(0)
    assert [arrival.completion.run for arrival in arrivals.completions] == ["r1"]
    (stray,) = arrivals.strays
    assert stray.event == "foreign"
    assert "r2" in stray.message
    assert [call for _, call, _ in results.told] == ["send", "receive", "delete"], "no right to hide it is needed"
    assert len(results.bodies()) == 1


def test_this_runs_completion_is_received_however_late_it_comes() -> None:
    channel, _, results = make_channel(own=False)
    results.send([Outgoing(make_done(expires_at=time() - 1).model_dump_json())])
    assert len(channel.receive(0).completions) == 1


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_completion_is_deleted_from_a_queue_that_nobody_else_reads(body: str) -> None:
    channel, _, results = make_channel(own=True)
    results.send([Outgoing(body), Outgoing(make_done().model_dump_json())])
    arrivals = channel.receive(0)
    assert len(arrivals.completions) == 1
    assert [stray.event for stray in arrivals.strays] == ["foreign"]
    assert len(results.bodies()) == 1


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_completion_is_left_to_the_redrive_of_a_shared_queue(body: str) -> None:
    channel, _, results = make_channel(own=False)
    results.send([Outgoing(body)])
    arrivals = channel.receive(0)
    assert [stray.event for stray in arrivals.strays] == ["foreign"]
    assert results.bodies() == [body]
    assert [call for _, call, _ in results.told] == ["send", "receive"], "neither deleted nor handed back"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_deletions_are_gathered_into_batches_and_none_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(results_module, "monotonic", clock)
    channel, _, results = make_channel()
    results.send([Outgoing(make_done(chain=chain).model_dump_json()) for chain in range(25)])
    arrivals = [arrival for _ in range(3) for arrival in channel.receive(0).completions]

    def deletions() -> list[int]:
        return [count for _, call, count in results.told if call == "delete"]

    for arrival in arrivals[:9]:
        channel.accept([arrival])
    assert deletions() == []
    channel.accept(arrivals[9:10])
    assert deletions() == [10]

    channel.accept(arrivals[10:12])
    clock.now += DELETIONS_LINGER_SECONDS
    channel.accept([])
    assert deletions() == [10]
    clock.now += 0.001
    channel.accept([])
    assert deletions() == [10, 2]

    channel.accept(arrivals[12:13])
    assert deletions() == [10, 2]
    channel.close()
    assert deletions() == [10, 2, 1]
    channel.accept(arrivals[13:])
    assert sum(deletions()) == 25


class Outage:
    """Stands for a queue's call; fails so many times with `error`, then does as the queue does."""

    def __init__(self, call: Callable[..., Any], error: Exception, times: int) -> None:
        self._call, self._error, self._times = call, error, times

    def __call__(self, *arguments: Any) -> Any:
        if self._times > 0:
            self._times -= 1
            raise self._error
        return self._call(*arguments)


@pytest.mark.parametrize("call", ["send", "receive", "delete", "depth"])
def test_an_outage_of_the_queues_is_waited_out(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, steps, results = make_channel(patience_seconds=60.0)
    results.send([Outgoing(make_done().model_dump_json())])
    for queue in (steps, results):
        monkeypatch.setattr(queue, call, Outage(getattr(queue, call), ConnectionError("away"), 2))

    with capture_logs() as logged:
        channel.send([make_message()])
        channel.accept(channel.receive(0).completions)
        channel.close()
        assert not channel.is_silent()

    assert len(steps.bodies()) == 1
    assert results.bodies() == []
    assert all("STALL_TIMEOUT" in line["event"] and 50 < line["gives_up_in_seconds"] <= 60 for line in logged)
    assert logged


def test_an_outage_that_lasts_too_long_ends_in_the_queues_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, _, results = make_channel(patience_seconds=0.0)
    monkeypatch.setattr(results, "receive", Outage(results.receive, ConnectionError("away"), 99))

    with pytest.raises(ConnectionError, match="away"):
        channel.receive(0)


def test_what_is_not_worth_waiting_for_is_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    channel, _, results = make_channel(patience_seconds=60.0)
    outage = Outage(results.receive, PermissionError("not for you"), 1)
    monkeypatch.setattr(results, "receive", outage)

    with pytest.raises(PermissionError, match="not for you"):
        channel.receive(0)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("stray", ["{", "foreign", "expired"])
def test_what_an_outage_keeps_from_being_turned_away_comes_again_and_ends_no_run(
    stray: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, _, results = make_channel(own=own)
    bodies = {
        "{": "{",
        "foreign": make_done(run="other").model_dump_json(),
        "expired": make_done(run="other", expires_at=1.0).model_dump_json(),
    }
    results.send([Outgoing(bodies[stray]), Outgoing(make_done().model_dump_json())])
    for call in ("delete", "hide"):
        monkeypatch.setattr(results, call, Outage(getattr(results, call), ConnectionError("away"), 99))

    arrivals = channel.receive(0)

    assert (len(arrivals.completions), len(arrivals.strays)) == (1, 1)
    assert len(results.bodies()) == 2


@pytest.mark.parametrize("absent", ["queue_wait_ns", "receive_count"])
def test_a_completion_without_the_stamps_of_the_steps_queue_is_none_of_a_worker(absent: str) -> None:
    channel, _, results = make_channel(own=True)
    unstamped: dict[str, Any] = {absent: None}
    results.send([Outgoing(make_done(worker=make_worker_facts(**unstamped)).model_dump_json())])
    arrivals = channel.receive(0)
    assert arrivals.completions == []
    (stray,) = arrivals.strays
    assert "without the stamps of the queue" in stray.message
