"""Receives step messages for free executors and lets in those that this worker may and can run."""

from __future__ import annotations

import threading
from time import monotonic_ns, time

import structlog
from tenacity import RetryError

from stepbench.errors import MessageRefused
from stepbench.executors.backlog import Backlog
from stepbench.failures import failed, is_retryable
from stepbench.guard import Guard
from stepbench.messages import StepMessage, parse
from stepbench.patience import patient
from stepbench.queues import MAX_WAIT_SECONDS, Queue, Received
from worker.heartbeat import hand_back
from worker.held import HeldStep, HeldSteps
from worker.identity import identity_of
from worker.publisher import Finished, Publisher
from worker.pulse import Pulse

log = structlog.get_logger()


class Intake:
    """Runs in a thread of its own until `stopping` is set, then ends with the long poll that is under way."""

    def __init__(
        self,
        queue: Queue,
        guard: Guard,
        backlog: Backlog[HeldStep],
        held: HeldSteps,
        publisher: Publisher,
        stopping: threading.Event,
        pulse: Pulse,
    ) -> None:
        self._queue = queue
        self._guard = guard
        self._backlog = backlog
        self._held = held
        self._publisher = publisher
        self._stopping = stopping
        self._pulse = pulse
        self._answered = False

    def run(self) -> None:
        """Raises the queue's error if it refuses for good before it ever answered: a wrong URL or a missing right."""
        while room := self._room():
            try:
                received = self._receive(room)
            except RetryError:
                return
            self._admit(received, monotonic_ns())

    def _room(self) -> int:
        self._pulse.rest()  # executors that are busy are no trouble of ours
        room = self._backlog.room()
        self._pulse.turn()
        return room

    def _receive(self, most: int) -> list[Received]:
        retrying = patient("could not receive step messages", self._worth_waiting, self._stopping)
        received: list[Received] = retrying(self._queue.receive, most, MAX_WAIT_SECONDS)
        self._answered = True
        return received

    def _worth_waiting(self, error: BaseException) -> bool:
        # A queue that answered once and refuses now is an outage or a change of rights, and those end.
        return self._answered or is_retryable(error)

    def _admit(self, received: list[Received], received_at_ns: int) -> None:
        steps = [step for message in received if (step := self._understood(message, received_at_ns))]
        if self._stopping.is_set():
            hand_back(self._queue, self._held, steps)
            return
        for step in steps:
            self._held.add(step)
        too_late = self._backlog.put([step for step in steps if self._may_run(step)])
        hand_back(self._queue, self._held, too_late)

    def _understood(self, received: Received, received_at_ns: int) -> HeldStep | None:
        """Null for what is left to the queue's own redrive, and for what has expired and is deleted."""
        try:
            message = parse(StepMessage, received.body)
            self._guard.check_results_queue(message)
        except MessageRefused as error:
            log.warning("message refused", message_id=received.id, reason=str(error))
            return None
        if message.expires_at < time():
            log.warning("step expired", **identity_of(message))
            self._delete(message, received)
            return None
        return HeldStep(message=message, received=received, received_at_ns=received_at_ns)

    def _delete(self, message: StepMessage, received: Received) -> None:
        try:
            self._queue.delete([received.receipt])
        except Exception as error:  # noqa: BLE001 # it comes again, and is as expired then
            log.warning("could not delete an expired step message", **identity_of(message), error=str(error))

    def _may_run(self, step: HeldStep) -> bool:
        """Answers a step that this worker may not run, so that its run learns why."""
        try:
            self._guard.check_objects(step.message)
        except MessageRefused as error:
            self._publisher.put(Finished(step, failed(step.message, error, None), monotonic_ns()))
            return False
        return True
