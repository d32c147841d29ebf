"""A worker whose executors are played by the test, on queues in memory; real ones are in tests/runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs
from tenacity import wait_none

from stepbench.errors import EnvironmentRefused, ExecutorDied
from stepbench.guard import Guard
from stepbench.messages import Completion, StepMessage, parse
from stepbench.queues import Outgoing, Received
from stepbench.sqs_calls import SqsCalls
from tests.doubles import WatchedQueue, queue_gone
from tests.factories import BUCKET, PREFIX, STEPS_QUEUE, make_done, make_failed, make_message
from tests.processes import wait_until
from worker import backlog, heartbeat, loop
from worker.executors import ExecutorFactory
from worker.held import HeldStep
from worker.loop import Worker, WorkerOptions
from worker.pulse import Pulse

NOTHING_YET_SECONDS = 0.01
ALLOWANCE_SECONDS = 60.0


class StepsQueue(WatchedQueue):
    """Answers a long poll that finds nothing after a moment."""

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        if received := super().receive(most, 0):
            return received
        threading.Event().wait(NOTHING_YET_SECONDS)
        return []


class PlayedExecutor:
    """Runs a step as `Stage.play` says."""

    def __init__(self, name: str, stage: Stage) -> None:
        self.name = name
        self.steps_run = 0
        self.closed = False
        self._stage = stage

    def wait_until_ready(self) -> None:
        self._stage.on_start(self)

    def begin(self, message: StepMessage) -> bool:
        assert not self.closed, "a step was begun on an executor that is closed"
        if self.name in self._stage.dead:
            return False
        self._stage.begun.append((self.name, message.chain))
        return True

    def lives(self) -> bool:
        return self.name not in self._stage.dead

    def death(self) -> str:
        return "was killed"

    def disown(self, message: StepMessage) -> None:
        self._stage.disowned.append(message.chain)

    def finish(self, message: StepMessage) -> Completion:
        self._stage.play(message)
        self.steps_run += 1
        if self._stage.fails(message):
            return make_failed(**message.identity())
        return make_done(**message.identity())

    def kill(self) -> None:
        return

    def close(self) -> None:
        self.closed = True


class Stage(ExecutorFactory):
    """A worker with played executors, and what happens to it."""

    def __init__(self) -> None:
        self.steps = StepsQueue("steps")
        self.results = WatchedQueue("results")
        self.pulse = Pulse(ALLOWANCE_SECONDS, lambda: self.now_ns)
        self.now_ns = 0
        self.started: list[PlayedExecutor] = []
        self.begun: list[tuple[str, int]] = []
        """(executor, chain) in the order in which steps began."""
        self.dead: set[str] = set()
        """Names of executors that ended while they had no step."""
        self.discarded: list[Completion] = []
        self.disowned: list[int] = []
        """Chains of the steps for which executors were told to upload nothing."""
        self.play: Callable[[StepMessage], None] = lambda message: None
        self.fails: Callable[[StepMessage], bool] = lambda message: False
        self.on_start: Callable[[PlayedExecutor], None] = lambda executor: None

    def start(self) -> Any:
        self.started.append(PlayedExecutor(f"e{len(self.started) + 1}", self))
        return self.started[-1]

    def worker(
        self, executors: int = 1, max_steps: int = 0, visibility_seconds: int = 3_600, drain_seconds: float = 3_600
    ) -> Worker:
        options = WorkerOptions("w1", "host1", executors, max_steps, visibility_seconds, drain_seconds)
        guard = Guard(BUCKET, PREFIX, STEPS_QUEUE, "stepbench-results-", None)
        return Worker(
            options,
            guard,
            self.steps,
            lambda url: self.results,
            self,
            lambda completion: None,
            self.pulse,
            SqsCalls(),
        )

    def send(self, chains: Sequence[int]) -> None:
        self.steps.send([Outgoing(make_message(chain=chain).model_dump_json()) for chain in chains])

    def published(self) -> list[Completion]:
        return [parse(Completion, body) for body in self.results.bodies()]

    def until_published(self, count: int) -> None:
        wait_until(lambda: len(self.results.bodies()) == count, f"{count} completions")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepbench.patience.wait_random_exponential", lambda max: wait_none())  # noqa: A006 # its name


@pytest.fixture
def stage() -> Stage:
    return Stage()


class Running:
    """A worker at work in a thread of its own."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._thread = threading.Thread(target=worker.run)
        self._thread.start()

    def end(self) -> None:
        self.worker.stop()
        self.until_ended()

    def until_ended(self) -> None:
        wait_until(lambda: not self._thread.is_alive(), "the worker has ended")


@pytest.fixture
def running(stage: Stage) -> Iterator[Callable[..., Running]]:
    """Starts workers, and ends what still runs."""
    started: list[Running] = []

    def start(**options: Any) -> Running:
        started.append(Running(stage.worker(**options)))
        return started[-1]

    yield start
    for each in started:
        each.end()


def is_alive(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


Start = Callable[..., Running]


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
    monkeypatch.setattr(loop, "PARTING_SECONDS", 0.1)
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
