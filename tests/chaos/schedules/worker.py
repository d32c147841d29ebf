"""A worker as the protocol knows it: receive, write the object, publish the completion, delete; dies in between."""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

from stepbench.messages import Completion, StepError, StepMessage, parse
from stepbench.queues import Outgoing, Received
from stepbench.samples import PHASES
from tests.chaos.schedules.objects import Objects
from tests.chaos.schedules.profile import Profile
from tests.chaos.schedules.queues import BadQueue
from tests.factories import make_executor_facts, make_worker_facts
from worker.executor import _new_key

MOST_AT_ONCE = 3
LONGEST_STEP_TURNS = 4
HAND_BACK = 0.05
HEARTBEAT = 0.8


class Worker:
    """`act` does one action."""

    def __init__(self, random: Random, profile: Profile, steps: BadQueue, results: BadQueue, objects: Objects) -> None:
        self._random = random
        self._profile = profile
        self._steps = steps
        self._results = results
        self._objects = objects
        self.busy = False
        self._actions = self._work()

    def act(self) -> None:
        next(self._actions)

    def die(self) -> None:
        """At once; another takes its place."""
        self._actions.close()
        self.busy = False
        self._actions = self._work()

    def _work(self) -> Generator[None]:
        while True:
            received = self._steps.receive(MOST_AT_ONCE, 0)
            self.busy = bool(received)
            yield
            for message in received:
                yield from self._serve(message)

    def _serve(self, received: Received) -> Generator[None]:
        if self._random.random() < HAND_BACK:
            self._steps.hide([received.receipt], 0)
            yield
            return
        for _ in range(self._random.randrange(LONGEST_STEP_TURNS)):
            if self._random.random() < HEARTBEAT:
                self._steps.hide([received.receipt], int(self._profile.visibility_seconds))
            yield
        completion = self._execute(parse(StepMessage, received.body), received)
        yield
        self._results.send([Outgoing(completion.model_dump_json())])
        yield
        self._steps.delete([received.receipt])
        yield

    def _execute(self, message: StepMessage, received: Received) -> Completion:
        worker = make_worker_facts(receive_count=received.receive_count, queue_wait_ns=received.queue_wait_ns)
        if self._random.random() < self._profile.failure:
            return Completion(**message.identity(), error=self._error(), worker=worker)
        output = self._objects.write(_new_key(message.output.key_prefix, "json"))
        facts: dict[str, Any] = {
            "input_uri": message.input.uri,
            "output_uri": output.uri,
            "bytes_out": output.object_bytes,
            "serialized_bytes_out": output.serialized_bytes,
            "checksum_out": output.checksum,
        }
        return Completion(**message.identity(), output=output, executor=make_executor_facts(**facts), worker=worker)

    def _error(self) -> StepError:
        return StepError(
            error_class="SlowDown",
            message="slow down",
            retryable=self._random.random() >= self._profile.for_good,
            phase=self._random.choice(PHASES),
        )
