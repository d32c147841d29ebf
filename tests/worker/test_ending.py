"""The end of a worker on a stage, stage by stage; that of real ones is in tests/runs/test_drain.py."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from stepbench.errors import EnvironmentRefused, ExecutorDied
from stepbench.messages import StepMessage
from tests.processes import wait_until
from tests.worker.stage import PlayedExecutor, Stage, Start
from worker import ending
from worker.held import HeldStep


def is_alive(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


def test_a_worker_that_ends_while_a_replacement_fails_begins_no_step_on_the_executor_that_is_gone(
    stage: Stage, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die_of_the_second(message: StepMessage) -> None:
        if message.chain == 2:
            wait_until(started.worker._backlog.has_waiting, "the third waits for an executor")
            raise ExecutorDied("it died", phase="upload")

    def fail_while_told_to_end(executor: PlayedExecutor) -> None:
        if executor.name != "e1":
            started.worker.stop()
            raise EnvironmentRefused("it did not start")

    stage.play = die_of_the_second
    stage.on_start = fail_while_told_to_end
    with capture_logs() as lines:
        started = running()
        waiting = started.worker._backlog
        close = waiting.close

        def close_late() -> list[HeldStep]:
            wait_until(lambda: not is_alive("executor-0"), "nobody stands by the executor any more")
            return close()

        monkeypatch.setattr(waiting, "close", close_late)
        stage.send([1])
        stage.until_published(1)
        stage.send([2, 3])
        started.until_ended()
    assert stage.begun == [("e1", 1), ("e1", 2)]
    assert [line["event"] for line in lines].count("ends without a replacement for an executor") == 1
    assert stage.steps.depth().visible == 1, "the step that waited is for another worker"


def test_a_worker_that_ends_starts_no_replacement(stage: Stage, running: Start) -> None:
    begun, go = threading.Event(), threading.Event()

    def wait(message: StepMessage) -> None:
        begun.set()
        go.wait(60)

    stage.play = wait
    stage.send([1])
    started = running(max_steps=1)
    begun.wait(60)
    started.worker.stop()
    go.set()
    started.until_ended()
    assert len(stage.started) == 1
    assert len(stage.published()) == 1


def test_a_worker_that_ends_says_what_it_waits_for_and_how_to_hurry_it(stage: Stage, running: Start) -> None:
    asked, answer = threading.Event(), threading.Event()

    def keep_the_receive_open(call: str) -> None:
        if call == "receive":
            asked.set()
            answer.wait(60)

    stage.steps.before = keep_the_receive_open
    with capture_logs() as lines:
        started = running()
        asked.wait(60)
        started.worker.stop()
        wait_until(lambda: lines[-1]["event"].startswith("waits"), "it says that it waits")
        started.worker.stop()
        started.until_ended()
    answer.set()
    events = [line["event"] for line in lines]
    assert events == ["worker ready", "worker ends", "waits for the receive that is under way", "worker ended"]
    for line in lines[1:3]:
        assert line["log_level"] == "info"
        assert line["hint"] == "a second signal hurries it"


@pytest.mark.parametrize(("drain_seconds", "signals"), [(0.0, 1), (3_600.0, 2)])
@pytest.mark.parametrize(
    ("call", "waits"),
    [
        ("hide for 0 s", ["hand-back", "executor-0"]),
        ("send", ["executor-0"]),
        ("delete", ["publisher"]),
        ("hide for 1 s", ["heartbeat"]),
    ],
)
def test_a_worker_that_ends_does_not_wait_for_a_queue_that_never_answers(
    stage: Stage,
    running: Start,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    waits: list[str],
    drain_seconds: float,
    signals: int,
) -> None:
    monkeypatch.setattr(ending, "PARTING_SECONDS", 0.1)
    under_way, go = threading.Event(), threading.Event()

    def never_answer(asked: str) -> None:
        if asked == call:
            under_way.set()
            go.wait(60)

    def take_time(message: StepMessage) -> None:
        if message.chain == 2:
            wait_until(started.worker._backlog.has_waiting, "the third waits for an executor")
            under_way.set()
            go.wait(60)

    stage.play = take_time
    if call == "send":
        stage.results.before = never_answer
    else:
        stage.steps.before = never_answer
    started = running(visibility_seconds=1 if call == "hide for 1 s" else 3_600, drain_seconds=drain_seconds)
    stage.send([1])
    if call == "hide for 0 s":
        stage.until_published(1)
        stage.send([2, 3])
    under_way.wait(60)
    with capture_logs() as lines:
        for _ in range(signals):
            started.worker.stop()
        started.until_ended()
    go.set()
    (told,) = (line["threads"] for line in lines if line["log_level"] == "warning")
    assert told[: len(waits)] == waits
