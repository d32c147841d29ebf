"""What a worker is doing now, for whoever asks with a probe. Probes are no work, neither here nor in any figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from stepbench.messages import Completion, StepMessage
from stepbench.probes import MOST_RUNS_NAMED, STEP_KIND, WorkerState
from worker.held import HeldSteps


def is_probe(message: StepMessage) -> bool:
    return message.step_kind == STEP_KIND


class Doing:
    """Used from the threads that stand by executors, each with a slot of its own."""

    def __init__(self, executors: int, held: HeldSteps, clock: Callable[[], float] = monotonic) -> None:
        self._executors = executors
        self._held = held
        self._clock = clock
        self._up_since = clock()
        self._at_work: dict[int, StepMessage] = {}

    def begin(self) -> None:
        """The first step may come."""
        self._up_since = self._clock()

    @contextmanager
    def at_work(self, slot: int, message: StepMessage) -> Iterator[None]:
        """The executor of `slot` has this step for the length of the block."""
        self._at_work[slot] = message
        try:
            yield
        finally:
            del self._at_work[slot]

    def told_in(self, completion: Completion) -> Completion:
        """An answer to a probe with the worker's part of it; anything else as it is."""
        if completion.answer is None:
            return completion
        answer = completion.answer.model_copy(update={"state": self.state()})
        return completion.model_copy(update={"answer": answer})

    def state(self) -> WorkerState:
        held = [step.message for step in self._held.steps() if not is_probe(step.message)]
        return WorkerState(
            executors=self._executors,
            busy_executors=sum(not is_probe(message) for message in list(self._at_work.values())),
            held_steps=len(held),
            runs=tuple(sorted({message.run for message in held})[:MOST_RUNS_NAMED]),
            up_seconds=self._clock() - self._up_since,
        )
