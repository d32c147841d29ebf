"""A worker whose executors are played by a test, on queues in memory; real ones are in tests/runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from stepbench.executors.process import ExecutorFactory
from stepbench.guard import Guard
from stepbench.messages import Completion, StepMessage, parse
from stepbench.queue_urls import folder_of
from stepbench.queues import Outgoing, Received
from stepbench.sqs_calls import SqsCalls
from tests.doubles import WatchedQueue
from tests.factories import BUCKET, PREFIX, STEPS_QUEUE, make_done, make_failed, make_message
from tests.processes import wait_until
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
        guard = Guard(BUCKET, PREFIX, folder_of(STEPS_QUEUE), "stepbench-results-", None, STEPS_QUEUE)
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


Start = Callable[..., Running]
