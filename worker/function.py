"""A worker as AWS Lambda runs one: a step message comes as an event, its completion goes to the run's results queue.

Each environment of a function has one step at a time, and is frozen in between. Its executor is started with it. What
is not answered is raised: Lambda then puts the message among the function's dead letters, as a steps queue's redrive
does. Such is a message that cannot be understood, or asks to answer elsewhere, and a completion that was not taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from time import monotonic, monotonic_ns, time
from typing import Protocol

import structlog

from stepbench.errors import ExecutorLost, MessageRefused, StepTimeout
from stepbench.executors.process import ExecutorFactory, start_all
from stepbench.failures import failed, is_queue_gone, is_retryable
from stepbench.guard import Guard
from stepbench.messages import Completion, StepMessage, parse
from stepbench.patience import patient, raising_the_last
from stepbench.probes import WorkerState
from stepbench.queues import Outgoing, Queue
from stepbench.samples import WorkerFacts
from stepbench.sqs_calls import SqsCalls
from worker.identity import identity_of

ANSWERING_SECONDS = 5.0
"""Of the function's timeout, kept from the step: to tell what became of it."""
LEAST_STEP_SECONDS = 0.1
LAST_TRY_SECONDS = 1.0
"""Before the function's timeout no try to answer begins any more."""

log = structlog.get_logger()


class Invocation(Protocol):
    """What Lambda's runtime tells of one."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Until the function's timeout."""
        ...


@dataclass(frozen=True)
class Ends:
    """What a function stands between: whose messages it takes, where completions go, what it may remove."""

    guard: Callable[[str], Guard]
    """By the function's ARN, which tells where the results queues of its runs are."""
    results_queue: Callable[[str], Queue]
    """By URL."""
    discard_output: Callable[[Completion], None]
    """Removes the object of a completion that nobody waits for."""
    sqs_calls: SqsCalls


class FunctionWorker:
    """One environment of the function. Used from one thread."""

    def __init__(self, name: str, host: str, factory: ExecutorFactory, most_steps: int, ends: Ends) -> None:
        """An executor runs `most_steps` (0: any number). Raises EnvironmentRefused where none comes up."""
        self._name = name
        self._host = host
        self._ends = ends
        self._seat = _Seat(factory, most_steps)
        self._up_since = monotonic()

    def handle(self, event: object, invocation: Invocation) -> None:
        """A step message's completion, sent. Raises MessageRefused, and the results queue's error."""
        received_at_ns = monotonic_ns()
        message = parse(StepMessage, json.dumps(event))
        guard = self._ends.guard(invocation.invoked_function_arn)
        queue_url = guard.check_results_queue(message)
        if message.expires_at < time():
            log.warning("step expired", **identity_of(message))
            return
        completion = self._allowed(message, guard) or self._done(message, invocation)
        try:
            self._answer(queue_url, completion, received_at_ns, invocation)
        except Exception as error:
            # A run that may be gone on with keeps its own queue. And Lambda hands a message out once, unlike a queue.
            if guard.results_queue_url is not None or not is_queue_gone(error):
                raise
            log.warning("results queue is gone", **identity_of(message))
            self._ends.discard_output(completion)

    def close(self) -> None:
        """Ends its executor."""
        self._seat.close()

    def _allowed(self, message: StepMessage, guard: Guard) -> Completion | None:
        """Null, or why this function may not run the step, for its run to learn."""
        try:
            guard.check_objects(message)
        except MessageRefused as error:
            return failed(message, error, None)
        return None

    def _done(self, message: StepMessage, invocation: Invocation) -> Completion:
        self._seat.make_ready()  # before the time that is left is looked at: another executor's start takes some of it
        most_seconds = max(LEAST_STEP_SECONDS, _left_seconds(invocation) - ANSWERING_SECONDS)
        bounded = message.model_copy(update={"step_timeout_seconds": min(message.step_timeout_seconds, most_seconds)})
        try:
            completion = self._seat.run(bounded)
        except ExecutorLost as error:
            log.warning("executor lost", **identity_of(message), phase=error.phase, reason=str(error))
            return failed(message, _told_of_timeout(error, message, most_seconds), error.phase)
        return completion if completion.answer is None else self._with_state(completion)

    def _with_state(self, completion: Completion) -> Completion:
        """Of a probe: an environment has nothing else in hand."""
        assert completion.answer is not None
        state = WorkerState(
            executors=1, busy_executors=0, held_steps=0, runs=(), up_seconds=monotonic() - self._up_since
        )
        return completion.model_copy(update={"answer": completion.answer.model_copy(update={"state": state})})

    def _answer(self, url: str, completion: Completion, received_at_ns: int, invocation: Invocation) -> None:
        most_seconds = max(0.0, _left_seconds(invocation) - LAST_TRY_SECONDS)
        waiting = patient("could not publish a completion", is_retryable, Event(), most_seconds)
        raising_the_last(waiting, self._send, url, completion, received_at_ns)
        log.info("steps done", count=1, **identity_of(completion))  # as a worker tells of them: infra/ counts these

    def _send(self, url: str, completion: Completion, received_at_ns: int) -> None:
        counted = self._ends.sqs_calls.take()
        executor = completion.executor
        facts = WorkerFacts(
            worker=self._name,
            host=self._host,
            receive_count=None,
            queue_wait_ns=None,
            worker_wait_ns=0 if executor is None else executor.waited_ns(received_at_ns, monotonic_ns()),
            sqs_throttled=counted.throttled,
            sqs_requests=counted.requests,
        )
        told = completion.model_copy(update={"worker": facts})
        try:
            self._ends.results_queue(url).send([Outgoing(told.model_dump_json())])
        except BaseException:
            self._ends.sqs_calls.add(counted)
            raise


class _Seat:
    """The environment's executor, or the one that takes its place."""

    def __init__(self, factory: ExecutorFactory, most_steps: int) -> None:
        self._factory = factory
        self._most_steps = most_steps
        [self._executor] = start_all(factory, 1)
        self._is_lost = False

    def make_ready(self) -> None:
        """There is one that may have a step. Raises EnvironmentRefused where another one does not come up."""
        did_its_share = 0 < self._most_steps <= self._executor.steps_run
        if self._is_lost or did_its_share or not self._executor.lives():
            self._replace()

    def run(self, message: StepMessage) -> Completion:
        """Raises ExecutorLost, and EnvironmentRefused."""
        if not self._executor.begin(message):  # it died while the environment was frozen, and was not known as dead yet
            self._replace()
            self._executor.begin(message)
        try:
            return self._executor.finish(message)
        except ExecutorLost:
            self._is_lost = True  # whether or not its process has ended by now
            raise

    def close(self) -> None:
        self._executor.close()

    def _replace(self) -> None:
        self._executor.close()
        [self._executor] = start_all(self._factory, 1)
        self._is_lost = False


def _left_seconds(invocation: Invocation) -> float:
    return invocation.get_remaining_time_in_millis() / 1e3


def _told_of_timeout(error: ExecutorLost, message: StepMessage, most_seconds: float) -> ExecutorLost:
    """Where it was the function's timeout that the step had to end for, and not its own."""
    if not isinstance(error, StepTimeout) or most_seconds >= message.step_timeout_seconds:
        return error
    return StepTimeout(
        f"the step ran longer than the {most_seconds:.1f} s that the function's timeout leaves it; give the function a "
        "longer timeout, of 900 s at most",
        phase=error.phase,
    )
