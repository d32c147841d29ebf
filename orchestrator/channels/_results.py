"""A run's results queue: completions are received and sorted out of it, and deleted when they are accepted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import monotonic, monotonic_ns, time

import structlog

from orchestrator.channels import Arrival, Arrivals, Stray
from orchestrator.channels._outages import Outages
from stepbench.errors import MessageRefused
from stepbench.messages import Completion, parse
from stepbench.queues import MAX_BATCH_MESSAGES, Queue, Received

DELETIONS_LINGER_SECONDS = 0.5
FOREIGN_DELAY_SECONDS = (1, 5)
"""Another run's completion is hidden for a random time in between, so that its own run may find it first."""

log = structlog.get_logger()


class Results:
    """One end of `orchestrator.channels.Channel`.

    Deletions are gathered: a completion that is deleted late is at worst delivered again, and known as a duplicate.
    """

    def __init__(self, queue: Queue, run_id: str, outages: Outages, *, own: bool, stamped: bool) -> None:
        """`own`: no other run's. `stamped`: steps came to their workers through a queue, whose stamps they pass on."""
        self._queue = queue
        self._run_id = run_id
        self._outages = outages
        self._own = own
        self._stamped = stamped
        self._deletions: list[str] = []
        self._deletions_since = 0.0

    def receive(self, wait_seconds: float) -> Arrivals:
        received = self._outages.patiently(self._queue.receive, MAX_BATCH_MESSAGES, wait_seconds)
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
            self._queue.hide([arrival.receipt for arrival in arrivals], 0)
        except Exception as error:  # noqa: BLE001 # they come again by themselves; a missing right is no reason either
            log.info("completions are left to come again", error=str(error))

    def nothing_comes(self) -> bool:
        """No completion is hidden there, as far as SQS can tell: of others, what is there says nothing."""
        if not self._own:  # others' completions come and go there
            return True
        self.close()  # what is accepted and not deleted yet is nothing that is still to come
        return self._outages.patiently(self._queue.depth).empty

    def close(self) -> None:
        receipts, self._deletions = self._deletions, []
        if receipts:
            self._outages.patiently(self._queue.delete, receipts)

    def _sort(self, message: Received, received_at_ns: int, arrivals: Arrivals) -> None:
        try:
            completion = self._completion_in(message.body)
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
            self._outages.at_best(self._queue.delete, [message.receipt])
            return Stray("expired", f"a completion of run {completion.run} had expired and was deleted")
        if self._own:
            self._outages.at_best(self._queue.delete, [message.receipt])  # as in `_refuse`
            return Stray("foreign", f"a completion of run {completion.run}, on this run's own queue, was deleted")
        self._outages.at_best(self._queue.hide, [message.receipt], random.randint(*FOREIGN_DELAY_SECONDS))
        return Stray("foreign", f"a completion of run {completion.run} was handed back")

    def _refuse(self, message: Received, error: MessageRefused) -> Stray:
        log.warning("completion refused", message_id=message.id, reason=str(error))
        if self._own:
            # Nobody else reads this queue and it has no redrive: left there, it would come back for ever.
            self._outages.at_best(self._queue.delete, [message.receipt])
        return Stray("foreign", f"a message that is no completion was refused: {error}")

    def _completion_in(self, body: str) -> Completion:
        """Raises MessageRefused."""
        completion = parse(Completion, body)
        worker = completion.worker
        if completion.ok and worker is None:
            raise MessageRefused("Completion refused: worker: missing, as if no worker had sent it")
        if worker is not None and (None in (worker.queue_wait_ns, worker.receive_count)) is self._stamped:
            raise MessageRefused(_STAMPS[self._stamped])
        return completion


_STAMPS = {
    True: "Completion refused: worker: without the stamps of the queue that the step came from",
    False: "Completion refused: worker: with stamps of a queue, and the step came through none",
}
