"""Publishes completions, then deletes the step messages they answer: never the other way round.

While more steps are about to end, completions wait a moment for each other and share a call; the last one of a burst
never waits. Deletions are nobody's critical path and are gathered over a longer moment.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns, time

import structlog
from structlog.contextvars import bound_contextvars
from tenacity import RetryError

from stepbench.executors.backlog import Backlog
from stepbench.failures import is_queue_gone, is_retryable
from stepbench.messages import Completion
from stepbench.patience import patient
from stepbench.queues import MAX_BATCH_MESSAGES, Outgoing, Queue
from stepbench.samples import WorkerFacts
from stepbench.sqs_calls import Counted, SqsCalls
from worker.held import HeldStep, HeldSteps, identities_of
from worker.identity import identity_of
from worker.pulse import Pulse

COMPLETIONS_LINGER_SECONDS = 0.05
DELETIONS_LINGER_SECONDS = 0.25

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Finished:
    """A step that has run, and what its executor made of it."""

    step: HeldStep
    completion: Completion
    at_ns: int


class Publisher:
    """`run` has a thread of its own. `discard_output` removes the object of a completion that nobody waits for."""

    def __init__(
        self,
        steps_queue: Queue,
        results_queue: Callable[[str], Queue],
        backlog: Backlog[HeldStep],
        held: HeldSteps,
        worker: str,
        host: str,
        discard_output: Callable[[Completion], None],
        pulse: Pulse,
        sqs_calls: SqsCalls,
    ) -> None:
        self._steps_queue = steps_queue
        self._results_queue = results_queue
        self._backlog = backlog
        self._held = held
        self._worker = worker
        self._host = host
        self._discard_output = discard_output
        self._pulse = pulse
        self._sqs_calls = sqs_calls
        self._changed = threading.Condition()
        self._by_caller = threading.Lock()
        self._finished: list[Finished] = []
        self._closed = False
        self._answered = False
        """Some results queue has taken a completion: this worker may send."""
        self._deletions: list[HeldStep] = []
        self._deletions_since_ns = 0
        self.giving_up = threading.Event()
        """Set in a hurried end: what cannot be published now is left to be delivered again."""

    def publish(self, finished: Finished) -> None:
        """At once and by the caller, where there is nothing to share a call with; else as `put`. Raises nothing.

        One caller at a time: those that come meanwhile are gathered, and so is what could not be sent at first try.
        """
        if self._backlog.has_waiting() or not self._by_caller.acquire(blocking=False):
            self.put(finished)
            return
        try:
            self._send(finished.step.results_queue_url, [finished])
        except Exception:  # noqa: BLE001 # whatever it was, the thread tries again, for as long as it takes
            self.put(finished)
        else:
            self._delete_soon([finished])
        finally:
            self._by_caller.release()

    def put(self, finished: Finished) -> None:
        """To be published by the thread, soon."""
        with self._changed:
            self._finished.append(finished)
            self._changed.notify()

    def close(self) -> None:
        """No more completions come; `run` returns when all are published and deleted."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                while (wait_seconds := self._wait_seconds()) > 0:
                    self._pulse.turn(wait_seconds)
                    self._changed.wait(wait_seconds)
                self._pulse.turn()
                batch, self._finished = self._finished[:MAX_BATCH_MESSAGES], self._finished[MAX_BATCH_MESSAGES:]
                last = self._closed and not self._finished
            for url, group in _by_results_queue(batch).items():
                self._publish(url, group)
            self._delete(last)
            if last:
                return

    def _wait_seconds(self) -> float:
        """How long there is nothing to do, unless something changes."""
        if self._closed or len(self._finished) >= MAX_BATCH_MESSAGES:
            return 0.0
        now_ns = monotonic_ns()
        waits = [60.0]
        if self._finished:
            waited = (now_ns - self._finished[0].at_ns) / 1e9
            waits.append(COMPLETIONS_LINGER_SECONDS - waited if self._backlog.has_waiting() else 0.0)
        if self._deletions:
            waits.append(DELETIONS_LINGER_SECONDS - (now_ns - self._deletions_since_ns) / 1e9)
        return min(waits)

    def _publish(self, url: str, batch: list[Finished]) -> None:
        about = identities_of([finished.step for finished in batch])
        try:
            with bound_contextvars(**about):  # so that the lines of its tries tell it too
                patient("could not publish completions", is_retryable, self.giving_up)(self._send, url, batch)
        except RetryError:
            log.warning("could not publish completions before the end", **about)
            self._held.remove(finished.step.receipt for finished in batch)
            return
        except Exception as error:
            if is_queue_gone(error):
                self._disown(url)
                batch = [finished for finished in batch if self._nobody_waits_for(finished)]
            elif self._answered:
                self._leave(batch, error)
                return
            else:
                raise
        self._delete_soon(batch)

    def _disown(self, url: str) -> None:
        """Nobody waits for what else is under way for this results queue."""
        self._held.disown([step.receipt for step in self._held.steps() if step.results_queue_url == url])

    def _delete_soon(self, batch: list[Finished]) -> None:
        with self._changed:
            if batch and not self._deletions:
                self._deletions_since_ns = monotonic_ns()
                self._changed.notify()
            self._deletions += [finished.step for finished in batch]

    def _send(self, url: str, batch: list[Finished]) -> None:
        counted = self._sqs_calls.take()
        told = [counted] + [Counted()] * (len(batch) - 1)
        try:
            self._results_queue(url).send([Outgoing(self._body(*each)) for each in zip(batch, told, strict=True)])
        except BaseException:
            self._sqs_calls.add(counted)
            raise
        self._answered = True

    def _leave(self, batch: list[Finished], error: Exception) -> None:
        """One run's results queue refuses what others take: its steps come again later, the other runs go on."""
        for finished in batch:
            log.error("results queue refuses", **identity_of(finished.step.message), error=str(error))
        self._held.remove(finished.step.receipt for finished in batch)

    def _body(self, finished: Finished, counted: Counted) -> str:
        step, executor = finished.step, finished.completion.executor
        waited_ns = 0 if executor is None else executor.waited_ns(step.received_at_ns, monotonic_ns())
        facts = WorkerFacts(
            worker=self._worker,
            host=self._host,
            receive_count=step.received.receive_count,
            queue_wait_ns=step.received.queue_wait_ns,
            worker_wait_ns=waited_ns,
            sqs_throttled=counted.throttled,
            sqs_requests=counted.requests,
        )
        return finished.completion.model_copy(update={"worker": facts}).model_dump_json()

    def _nobody_waits_for(self, finished: Finished) -> bool:
        """Its results queue is gone. Cleans up after an expired step; any other comes again and may find its queue."""
        message = finished.step.message
        expired = message.expires_at < time()
        log.warning("results queue is gone", **identity_of(message), expired=expired)
        if expired:
            self._discard_output(finished.completion)
        else:
            self._held.remove([finished.step.receipt])
        return expired

    def _delete(self, now: bool) -> None:
        with self._changed:
            waited_ns = monotonic_ns() - self._deletions_since_ns
            due = now or len(self._deletions) >= MAX_BATCH_MESSAGES or waited_ns >= DELETIONS_LINGER_SECONDS * 1e9
            steps = self._deletions if due else []
            if due:
                self._deletions = []
        if not steps:
            return
        receipts = [step.receipt for step in steps]
        try:
            self._steps_queue.delete(receipts)
        except Exception as error:  # noqa: BLE001 # they come again and are known as duplicates
            log.warning("could not delete step messages", **identities_of(steps), error=str(error))
        else:
            # What infra/ counts as the rate of steps. Here, and not where completions are sent: nothing waits for it.
            log.info("steps done", **identities_of(steps))
        self._held.remove(receipts)


def _by_results_queue(batch: list[Finished]) -> dict[str, list[Finished]]:
    groups: dict[str, list[Finished]] = defaultdict(list)
    for finished in batch:
        groups[finished.step.results_queue_url].append(finished)
    return groups
