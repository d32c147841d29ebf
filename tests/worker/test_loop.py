"""The work of a worker on a stage; its end is in test_ending.py."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from stepbench.errors import ExecutorDied
from stepbench.messages import StepMessage
from stepbench.queues import Outgoing
from tests.doubles import queue_gone
from tests.factories import make_message
from tests.processes import wait_until
from tests.worker.stage import ALLOWANCE_SECONDS, PlayedExecutor, Stage, Start
from worker import backlog, heartbeat, loop


@pytest.mark.parametrize("executors", [1, 3])
def test_an_executor_is_replaced_after_its_share_of_steps(stage: Stage, running: Start, executors: int) -> None:
    running(executors=executors, max_steps=4)
    stage.send(range(24))
    stage.until_published(24)
    assert sorted(completion.chain for completion in stage.published()) == list(range(24))
    by_executor = [[chain for name, chain in stage.begun if name == executor.name] for executor in stage.started]
    assert max(len(chains) for chains in by_executor) == 4
    assert sum(len(chains) for chains in by_executor) == 24
    if executors == 1:
        assert [len(chains) for chains in by_executor[:6]] == [4] * 6


def test_executors_run_any_number_of_steps_where_no_share_is_set(stage: Stage, running: Start) -> None:
    running(max_steps=0)
    stage.send(range(50))
    stage.until_published(50)
    assert [executor.name for executor in stage.started] == ["e1"]


def test_while_an_executor_is_replaced_no_step_is_held_that_would_wait_for_its_successor(
    stage: Stage, running: Start
) -> None:
    held: list[int] = []

    def look(executor: PlayedExecutor) -> None:
        # The steps that are done and not deleted yet are still hidden: what is left of the others has to be visible.
        held.append(24 - len(stage.begun) - stage.steps.depth().visible)

    stage.send(range(24))
    stage.on_start = look
    running(max_steps=4)
    stage.until_published(24)
    wait_until(lambda: len(held) == 7, "the last executor has been replaced")
    assert held == [0] * 7
    assert max(count for _, call, count in stage.steps.told if call == "receive") > 1, "steps were asked for ahead"


def test_a_step_that_its_executor_does_not_survive_is_a_failure_and_the_next_executor_goes_on(
    stage: Stage, running: Start
) -> None:
    def die_of_the_first(message: StepMessage) -> None:
        if message.chain == 1:
            raise ExecutorDied("it died", phase="upload")

    stage.play = die_of_the_first
    stage.send([1, 2])
    running()
    stage.until_published(2)
    assert sorted((completion.chain, completion.ok) for completion in stage.published()) == [(1, False), (2, True)]
    assert stage.begun == [("e1", 1), ("e2", 2)]
    assert stage.started[0].closed


@pytest.mark.parametrize("executors", [1, 2])
def test_a_step_that_comes_before_an_executor_was_found_dead_is_given_to_another_one(
    stage: Stage, running: Start, executors: int
) -> None:
    running(executors=executors)
    stage.dead.add("e1")
    with capture_logs() as lines:
        stage.send([1])
        stage.until_published(1)
        wait_until(lambda: len(stage.started) == executors + 1, "the dead one is replaced")
    assert stage.begun == [("e2", 1)]
    assert [completion.ok for completion in stage.published()] == [True]
    told = [line for line in lines if line["event"] == "executor lost while it had no step"]
    assert [(line["executor"], line["reason"]) for line in told] == [("e1", "was killed")]


def test_an_executor_that_dies_while_idle_is_replaced_without_a_step(
    stage: Stage, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "IDLE_CHECK_SECONDS", 0.01)
    running(executors=2)
    stage.dead.add("e2")
    wait_until(lambda: len(stage.started) == 3, "it is replaced")
    stage.send(range(20))
    stage.until_published(20)
    assert stage.started[1].closed
    assert "e2" not in [name for name, _ in stage.begun]
    assert len(stage.started) == 3


def test_an_executor_that_dies_while_idle_again_and_again_is_replaced_after_growing_pauses(
    stage: Stage, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []

    def pause_seconds(count: int) -> float:
        failures.append(count)
        return 0.0 if count < 5 else 3_600.0

    def die_at_once(executor: PlayedExecutor) -> None:
        if executor.name not in ("e1", "e4"):
            stage.dead.add(executor.name)

    monkeypatch.setattr(loop, "IDLE_CHECK_SECONDS", 0.01)
    monkeypatch.setattr(loop, "pause_seconds", pause_seconds)
    stage.on_start = die_at_once
    running()
    stage.dead.add("e1")
    wait_until(lambda: len(stage.started) == 4, "one lives")
    stage.send([1])
    stage.until_published(1)
    stage.dead.add("e4")
    wait_until(lambda: failures[-1] == 5, "it pauses")
    assert failures == [1, 2, 3, 1, 2, 3, 4, 5]
    assert len(stage.started) == 8, "the worker that pauses ends all the same"


def test_nothing_is_asked_for_ahead_in_the_name_of_an_executor_that_died(stage: Stage, running: Start) -> None:
    asked: list[int] = []

    def die_of_the_second(message: StepMessage) -> None:
        if message.chain == 2:
            raise ExecutorDied("it died", phase="upload")

    def look(executor: PlayedExecutor) -> None:
        if executor.name != "e1":
            with started.worker._backlog._changed:
                asked.append(started.worker._backlog._room())

    stage.play = die_of_the_second
    stage.on_start = look
    started = running()
    for count, chain in enumerate((1, 2, 3), 1):
        stage.send([chain])
        stage.until_published(count)
    assert asked == [0]


def test_what_waits_too_long_for_an_executor_is_handed_back(
    stage: Stage, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "STALE_CHECK_SECONDS", 0.01)
    monkeypatch.setattr(backlog, "HAND_BACK_AFTER_SECONDS", 0.0)
    go = threading.Event()

    def be_slow_at_last(message: StepMessage) -> None:
        if message.chain == 2:
            go.wait(60)

    stage.play = be_slow_at_last
    running()
    stage.send([1])
    stage.until_published(1)
    stage.send([2, 3])
    wait_until(lambda: ("steps", "hide for 0 s", 1) in stage.steps.told, "the step that waits is handed back")
    go.set()
    stage.until_published(3)


@pytest.mark.parametrize(
    ("call", "stuck"), [("receive", "intake"), ("hide for 1 s", "heartbeat"), ("send", "executor-0")]
)
def test_a_thread_whose_call_never_ends_is_told_and_those_that_wait_are_not(
    stage: Stage, running: Start, call: str, stuck: str
) -> None:
    under_way, go = threading.Event(), threading.Event()

    def never_end(asked: str) -> None:
        if asked == call:
            under_way.set()
            go.wait(60)

    stage.steps.before = stage.results.before = never_end
    running(visibility_seconds=1)
    if call == "send":
        stage.steps.before = lambda asked: None
        stage.send([1])
    under_way.wait(60)
    assert stage.pulse.stuck() == []
    stage.now_ns += int((ALLOWANCE_SECONDS + 0.5) * 1e9)
    wait_until(lambda: stage.pulse.stuck() == [stuck], f"only {stuck} is stuck")
    go.set()
    wait_until(lambda: stage.pulse.stuck() == [], "all is well again")


def test_a_step_that_takes_its_time_and_executors_that_are_all_busy_are_no_illness(
    stage: Stage, running: Start
) -> None:
    begun, go = threading.Event(), threading.Event()

    def take_time(message: StepMessage) -> None:
        begun.set()
        go.wait(60)

    stage.play = take_time
    running(visibility_seconds=1)
    stage.send([1])
    begun.wait(60)
    timeout_seconds = make_message().step_timeout_seconds
    stage.now_ns += int(timeout_seconds * 1e9)
    assert not {"executor-0", "intake"} & set(stage.pulse.stuck())
    stage.now_ns += int((ALLOWANCE_SECONDS + 0.5) * 1e9)
    assert "executor-0" in stage.pulse.stuck(), "it has outlived even its end"
    assert "intake" not in stage.pulse.stuck()
    go.set()


def die(message: StepMessage) -> bool:
    raise ExecutorDied("it died", phase="transform")


@pytest.mark.parametrize(
    ("ends", "published"),
    [(lambda message: True, []), (die, []), (lambda message: False, [True])],
    ids=["it fails", "its executor dies", "it is done all the same"],
)
def test_of_a_step_whose_message_is_gone_only_what_was_done_all_the_same_is_published(
    stage: Stage, running: Start, ends: Callable[[StepMessage], bool], published: list[bool]
) -> None:
    begun, go = threading.Event(), threading.Event()

    def take_time(message: StepMessage) -> None:
        if message.chain == 1:
            begun.set()
            go.wait(60)

    stage.play = take_time
    stage.fails = lambda message: message.chain == 1 and ends(message)
    with capture_logs() as lines:
        running(visibility_seconds=1)
        stage.send([1])
        begun.wait(60)
        stage.steps.delete([message.receipt for message in stage.steps._messages if message.receipt])
        wait_until(lambda: stage.disowned == [1], "its executor is told")
        go.set()
        stage.send([2])
        wait_until(lambda: 2 in [completion.chain for completion in stage.published()], "the next step is done")
    told = [line["chain"] for line in lines if line["event"].startswith("dropped a step")]
    assert [completion.ok for completion in stage.published() if completion.chain == 1] == published
    assert told == ([] if published else [1])


def test_an_executor_is_told_of_a_step_that_was_lost_while_it_waited_to_begin(stage: Stage, running: Start) -> None:
    def take_time(message: StepMessage) -> None:
        if message.chain == 2:
            wait_until(started.worker._backlog.has_waiting, "the third waits for an executor")
            started.worker._held.disown([step.receipt for step in started.worker._held.steps()])
            stage.disowned.clear()

    stage.play = take_time
    started = running()
    stage.send([1])
    stage.until_published(1)
    stage.send([2, 3])
    stage.until_published(3)
    assert stage.disowned == [3]


def test_once_a_results_queue_is_gone_the_other_steps_for_it_are_told_to_upload_nothing(
    stage: Stage, running: Start
) -> None:
    go = threading.Event()

    def take_time(message: StepMessage) -> None:
        if message.chain == 1:
            go.wait(60)

    stage.play = take_time
    stage.results.faults["send"].extend([queue_gone(), queue_gone()])
    running(executors=2)
    stage.send([1, 2])
    wait_until(lambda: 1 in stage.disowned, "its executor is told")
    go.set()


def test_a_probe_says_nothing_about_how_long_steps_are(stage: Stage, running: Start) -> None:
    started = running()
    stage.steps.send([Outgoing(make_message(step_kind="probe").model_dump_json())])
    stage.until_published(1)
    wait_until(lambda: started.worker._backlog.busy() == 0, "its executor is free again")
    with started.worker._backlog._changed:
        assert started.worker._backlog._room() == 1, "nothing is asked for beyond the free executor"
