"""Executors of the direct channel that a test plays: a step that was begun ends when the test says so."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from stepbench.errors import ExecutorDied, ExecutorLost
from stepbench.executors.process import ExecutorFactory
from stepbench.messages import Completion, StepMessage


class PlayedExecutor:
    def __init__(self, name: str, stage: PlayedExecutors) -> None:
        self.name = name
        self.steps_run = 0
        self._stage = stage
        self._ended = threading.Event()
        self._end: Callable[[], object] = self._ended.set

    def wait_until_ready(self) -> None:
        self._stage.on_start(self)

    def begin(self, message: StepMessage) -> bool:
        if self._ended.is_set():
            return False
        ends = self._stage.ends[message.chain]
        self._end = lambda: ends.put(ExecutorDied(f"executor {self.name} was killed", phase=None))
        self._stage.begun[message.chain] = self.name
        return True

    def finish(self, message: StepMessage) -> Completion:
        end = self._stage.ends[message.chain].get()
        if isinstance(end, BaseException):
            raise end
        self.steps_run += 1
        return end

    def lives(self) -> bool:
        return not self._ended.is_set()

    def death(self) -> str:
        return "was killed"

    def kill(self) -> None:
        self._ended.set()
        self._end()

    def close(self) -> None:
        self._ended.set()


class PlayedExecutors(ExecutorFactory):
    """Starts them. `begun`: by chain, the executor that has its step, or had it."""

    def __init__(self) -> None:
        self.begun: dict[int, str] = {}
        self.started: list[PlayedExecutor] = []
        self.on_start: Callable[[PlayedExecutor], object] = lambda executor: None
        """Called when one has been started; it is ready when this returns."""
        self.ends: defaultdict[int, SimpleQueue[Completion | BaseException]] = defaultdict(SimpleQueue)

    def start(self) -> Any:
        self.started.append(PlayedExecutor(f"e{len(self.started) + 1}", self))
        return self.started[-1]

    def finish(self, chain: int, completion: Completion) -> None:
        """The chain's step ends so."""
        self.ends[chain].put(completion)

    def lose(self, chain: int, error: ExecutorLost) -> None:
        """The executor that has the chain's step is lost over it."""
        self.ends[chain].put(error)
