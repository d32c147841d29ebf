"""Through two queues: step messages in one, completions in the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING

from orchestrator.channels import Arrival, Arrivals, Sent
from orchestrator.channels._dead_letters import DeadLetterWatch, Look
from orchestrator.channels._outages import Outages
from orchestrator.channels._results import Results
from orchestrator.run import results_queue
from orchestrator.upkeep import dead_letter_queue
from stepbench.channels import Traits
from stepbench.messages import StepMessage
from stepbench.queues import MAX_BATCH_MESSAGES, Outgoing, Queue
from stepbench.queues.sqs import SqsQueue

if TYPE_CHECKING:
    from orchestrator.run.plan import Plan
    from orchestrator.run.site import Site

TRAITS = Traits(steps_queue=True, results_queue=True)
NO_ANSWER = "the queues do not answer, and are tried again for STALL_TIMEOUT: see to the network and the endpoint"


def make(plan: Plan, site: Site) -> SqsChannel:
    """Between the plan's two queues."""
    assert plan.steps_queue_url is not None
    assert plan.results_queue_url is not None
    sqs = site.clients.sqs
    return SqsChannel(
        SqsQueue(sqs, plan.steps_queue_url, site.settings.visibility_timeout_seconds),
        SqsQueue(sqs, plan.results_queue_url, results_queue.visibility_seconds(plan.stall_timeout_seconds)),
        plan.run_id,
        fair=plan.fair_queues,
        results_are_own=plan.results_queue_is_own,
        outages=Outages.of_run(NO_ANSWER, plan, site),
        dead_letters=partial(dead_letter_queue.bodies_of, sqs, plan.steps_queue_url),
    )


class SqsChannel:
    """See `orchestrator.channels.Channel`."""

    def __init__(
        self,
        steps: Queue,
        results: Queue,
        run_id: str,
        *,
        fair: bool,
        results_are_own: bool,
        outages: Outages | None = None,
        dead_letters: Look | None = None,
    ) -> None:
        self._steps = steps
        self._group = run_id if fair else None
        self._outages = outages or Outages(NO_ANSWER)
        self._results = Results(results, run_id, self._outages, own=results_are_own, stamped=True)
        self._dead_letters = DeadLetterWatch(dead_letters, run_id)

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        sent: list[Sent] = []
        for start in range(0, len(messages), MAX_BATCH_MESSAGES):
            batch = messages[start : start + MAX_BATCH_MESSAGES]
            outgoing = [Outgoing(message.model_dump_json(), self._group) for message in batch]
            began_at_ns = monotonic_ns()
            self._outages.patiently(self._steps.send, outgoing)
            sent += [Sent(began_at_ns, monotonic_ns() - began_at_ns)] * len(batch)
        return sent

    def receive(self, wait_seconds: float) -> Arrivals:
        return self._results.receive(wait_seconds)

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        self._results.accept(arrivals)

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        self._results.hand_back(arrivals)

    def is_silent(self) -> bool:
        return self._outages.patiently(self._steps.depth).empty and self._results.nothing_comes()

    def dead_letters(self) -> list[StepMessage]:
        return self._dead_letters.found()

    def close(self) -> None:
        self._results.close()

    def abandon(self) -> None:
        """Nothing was started, and whoever wants to end need not wait for a queue that may not answer."""
