"""Through two queues: step messages in one, completions in the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event
from time import monotonic, monotonic_ns, time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog
from tenacity import RetryError

from orchestrator.channels import Arrival, Arrivals, Sent, Stray
from orchestrator.channels._dead_letters import DeadLetterWatch, Look
from orchestrator.run import results_queue
from orchestrator.upkeep import dead_letter_queue
from stepbench.channels import Traits
from stepbench.errors import MessageRefused
from stepbench.failures import is_retryable
from stepbench.messages import Completion, StepMessage, parse
from stepbench.patience import patient
from stepbench.queues import MAX_BATCH_MESSAGES, Outgoing, Queue, Received
from stepbench.queues.sqs import SqsQueue

if TYPE_CHECKING:
    from orchestrator.run.plan import Plan
    from orchestrator.run.site import Site

TRAITS = Traits(steps_queue=True, results_queue=True, own_executors=False)
NO_ANSWER = "the queues do not answer, and are tried again for STALL_TIMEOUT: see to the network and the endpoint"
DELETIONS_LINGER_SECONDS = 0.5
FOREIGN_DELAY_SECONDS = (1, 5)
"""Another run's completion is hidden for a random time in between, so that its own run may find it first."""

log = structlog.get_logger()
P = ParamSpec("P")
Answer = TypeVar("Answer")


def make(plan: Plan, site: Site) -> SqsChannel:
    """Between the plan's two queues."""
    assert plan.steps_queue_url is not None
    assert plan.results_queue_url is not None
    sqs = site.clients.sqs

    def worth_waiting(error: BaseException) -> bool:
        site.check()  # an emulator of ours that has died does not come back
        return is_retryable(error)

    return SqsChannel(
        SqsQueue(sqs, plan.steps_queue_url, site.settings.visibility_timeout_seconds),
        SqsQueue(sqs, plan.results_queue_url, results_queue.visibility_seconds(plan.stall_timeout_seconds)),
        plan.run_id,
        fair=plan.fair_queues,
        results_are_own=plan.results_queue_is_own,
        worth_waiting=worth_waiting,
        patience_seconds=plan.stall_timeout_seconds,
        dead_letters=partial(dead_letter_queue.bodies, sqs, plan.steps_queue_url),
    )


class SqsChannel:
    """See `orchestrator.channels.Channel`.

    Deletions are gathered: a completion that is deleted late is at worst delivered again, and known as a duplicate.
    """

    def __init__(
        self,
        steps: Queue,
        results: Queue,
        run_id: str,
        *,
        fair: bool,
        results_are_own: bool,
        worth_waiting: Callable[[BaseException], bool] = is_retryable,
        patience_seconds: float = 0.0,
        dead_letters: Look = tuple,
    ) -> None:
        """An outage of the queues, of errors that are `worth_waiting`, is waited out for `patience_seconds`."""
        self._worth_waiting = worth_waiting
        self._patience_seconds = patience_seconds
        self._steps = steps
        self._results = results
        self._run_id = run_id
        self._group = run_id if fair else None
        self._results_are_own = results_are_own
        self._dead_letters = DeadLetterWatch(dead_letters, run_id)
        self._deletions: list[str] = []
        self._deletions_since = 0.0

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        sent: list[Sent] = []
        for start in range(0, len(messages), MAX_BATCH_MESSAGES):
            batch = messages[start : start + MAX_BATCH_MESSAGES]
            outgoing = [Outgoing(message.model_dump_json(), self._group) for message in batch]
            began_at_ns = monotonic_ns()
            self._patiently(self._steps.send, outgoing)
            sent += [Sent(began_at_ns, monotonic_ns() - began_at_ns)] * len(batch)
        return sent

    def receive(self, wait_seconds: float) -> Arrivals:
        received = self._patiently(self._results.receive, MAX_BATCH_MESSAGES, wait_seconds)
        received_at_ns = monotonic_ns()
        arrivals = Arrivals()
        for message in received:
            self._sort(message, received_at_ns, arrivals)
        return arrivals

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        if not self._deletions:
            self._deletions_since = monotonic()
        self._deletions += [arrival.receipt for arrival in arrivals]
        waited = monotonic() - self._deletions_since
        if len(self._deletions) >= MAX_BATCH_MESSAGES or waited > DELETIONS_LINGER_SECONDS:
            self.close()

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        try:
            self._results.hide([arrival.receipt for arrival in arrivals], 0)
        except Exception as error:  # noqa: BLE001 # they come again by themselves; a missing right is no reason either
            log.info("completions are left to come again", error=str(error))

    def is_silent(self) -> bool:
        if not self._patiently(self._steps.depth).empty:
            return False
        if not self._results_are_own:  # others' completions come and go there
            return True
        self.close()  # what is accepted and not deleted yet is nothing that is still to come
        return self._patiently(self._results.depth).empty

    def dead_letters(self) -> list[StepMessage]:
        return self._dead_letters.found()

    def close(self) -> None:
        receipts, self._deletions = self._deletions, []
        if receipts:
            self._patiently(self._results.delete, receipts)

    def abandon(self) -> None:
        """Nothing was started, and whoever wants to end need not wait for a queue that may not answer."""

    def _patiently(self, call: Callable[P, Answer], *arguments: P.args, **named: P.kwargs) -> Answer:
        try:
            return call(*arguments, **named)
        except Exception as error:
            if not self._worth_waiting(error):
                raise
        # Only now: what waits costs the call that works a good part of a step's turnaround.
        waiting = patient(NO_ANSWER, self._worth_waiting, Event(), self._patience_seconds)
        try:
            return waiting(call, *arguments, **named)
        except RetryError as error:
            raise error.last_attempt.exception() or error from None

    def _at_best(self, call: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
        """Once: what an outage keeps from being dealt with comes again, and need not be waited for."""
        try:
            call(*arguments, **named)
        except Exception as error:
            if not self._worth_waiting(error):
                raise
            log.info("a message is left to come again", error=str(error))

    def _sort(self, message: Received, received_at_ns: int, arrivals: Arrivals) -> None:
        try:
            completion = _completion_in(message.body)
        except MessageRefused as error:
            arrivals.strays.append(self._refuse(message, error))
            return
        if completion.run != self._run_id:
            arrivals.strays.append(self._turn_away(message, completion))
            return
        arrivals.completions.append(
            Arrival(
                completion=completion,
                received_at_ns=received_at_ns,
                results_wait_ns=message.queue_wait_ns,
                results_receive_count=message.receive_count,
                receipt=message.receipt,
            )
        )

    def _turn_away(self, message: Received, completion: Completion) -> Stray:
        """Another run's completion: for that run to find, where runs share the results queue."""
        if completion.expires_at < time():
            self._at_best(self._results.delete, [message.receipt])
            return Stray("expired", f"a completion of run {completion.run} had expired and was deleted")
        if self._results_are_own:
            self._at_best(self._results.delete, [message.receipt])  # as in `_refuse`
            return Stray("foreign", f"a completion of run {completion.run}, on this run's own queue, was deleted")
        self._at_best(self._results.hide, [message.receipt], random.randint(*FOREIGN_DELAY_SECONDS))
        return Stray("foreign", f"a completion of run {completion.run} was handed back")

    def _refuse(self, message: Received, error: MessageRefused) -> Stray:
        log.warning("completion refused", message_id=message.id, reason=str(error))
        if self._results_are_own:
            # Nobody else reads this queue and it has no redrive: left there, it would come back for ever.
            self._at_best(self._results.delete, [message.receipt])
        return Stray("foreign", f"a message that is no completion was refused: {error}")


def _completion_in(body: str) -> Completion:
    """Raises MessageRefused."""
    completion = parse(Completion, body)
    if completion.ok and completion.worker is None:
        raise MessageRefused("Completion refused: worker: missing, as if no worker had sent it")
    if completion.worker is not None and None in (completion.worker.queue_wait_ns, completion.worker.receive_count):
        raise MessageRefused("Completion refused: worker: without the stamps of the queue that the step came from")
    return completion
