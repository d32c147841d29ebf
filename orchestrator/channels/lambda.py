"""Through asynchronous invocations of a Lambda function, with completions through the run's results queue.

Lambda keeps what it was sent until it begins it: in a queue of its own that stamps nothing and that nobody can look
into. That wait, a cold start and a second delivery included, is in a step's transit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.pool import ThreadPool
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING

from orchestrator.channels import Arrival, Arrivals, Sent
from orchestrator.channels._dead_letters import DeadLetterWatch, Look
from orchestrator.channels._outages import Outages
from orchestrator.channels._results import Results
from orchestrator.run import results_queue
from orchestrator.upkeep import dead_letter_queue
from stepbench.channels import Traits
from stepbench.messages import StepMessage
from stepbench.queues import Queue
from stepbench.queues.sqs import SqsQueue

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

    from orchestrator.run.plan import Plan
    from orchestrator.run.site import Site

TRAITS = Traits(steps_queue=False, results_queue=True, function=True)
NO_ANSWER = (
    "Lambda or the results queue does not answer, and is tried again for STALL_TIMEOUT: see to the network and the "
    "endpoints"
)
MOST_TIMEOUT_SECONDS = 900.0
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
SENDERS = 8
"""Invocations at once: Lambda takes one message a call, and a call takes tens of milliseconds."""
BEGINS_WITHIN_SECONDS = 60.0
"""A cold start, and the way there and back."""
LONGEST_BACKLOG_SECONDS = 21_600.0
"""So long Lambda keeps an event that it has no room for: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html."""


def make(plan: Plan, site: Site) -> LambdaChannel:
    """Of the plan's function. Raises the SDK's errors."""
    assert plan.lambda_function is not None
    assert plan.results_queue_url is not None
    sqs = site.clients.sqs
    outages = Outages.of_run(NO_ANSWER, plan, site)
    found = outages.patiently(site.clients.functions.get_function_configuration, FunctionName=plan.lambda_function)
    return LambdaChannel(
        site.clients.functions,
        plan.lambda_function,
        SqsQueue(sqs, plan.results_queue_url, results_queue.visibility_seconds(plan.stall_timeout_seconds)),
        plan.run_id,
        function_timeout_seconds=found["Timeout"],
        results_are_own=plan.results_queue_is_own,
        outages=outages,
        dead_letters=_look(site, dead_letter_queue.of_function(plan.lambda_function, found, site.settings)),
    )


def _look(site: Site, url: str | None) -> Look | None:
    """At the function's dead-letter queue: what Lambda gave up stands there as it was sent."""
    return None if url is None else partial(dead_letter_queue.bodies, site.clients.sqs, url)


class LambdaChannel:
    """See `orchestrator.channels.Channel`."""

    def __init__(
        self,
        client: LambdaClient,
        function: str,
        results: Queue,
        run_id: str,
        *,
        results_are_own: bool,
        function_timeout_seconds: float = MOST_TIMEOUT_SECONDS,
        outages: Outages | None = None,
        dead_letters: Look | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._client = client
        self._function = function
        self._outages = outages or Outages(NO_ANSWER)
        self._results = Results(results, run_id, self._outages, own=results_are_own, stamped=False)
        self._dead_letters = DeadLetterWatch(dead_letters, run_id)
        self._senders = ThreadPool(SENDERS)  # of daemons: one that waits for an answer keeps no process from its end
        self._may_run_seconds = function_timeout_seconds + BEGINS_WITHIN_SECONDS
        self._clock = clock
        self._last_sent = clock()  # as late as this, an orchestrator before this one may have sent something
        self._open: set[tuple[int, int]] = set()
        """Chain and step of what this one has sent, and nobody has answered or given up."""

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        self._open |= {(message.chain, message.step) for message in messages}
        if len(messages) == 1:
            return [self._invoke(messages[0])]
        return self._senders.map(self._invoke, messages, chunksize=1)

    def receive(self, wait_seconds: float) -> Arrivals:
        return self._results.receive(wait_seconds)

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        self._open -= {(arrival.completion.chain, arrival.completion.step) for arrival in arrivals}
        self._results.accept(arrivals)

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        self._results.hand_back(arrivals)

    def is_silent(self) -> bool:
        """Lambda tells of nothing that it holds: what was sent has had the time that it may take.

        That is long, as waiting for room is no failure, and what Lambda gives up is found among the dead letters. Where
        nobody can look there, and for steps that an orchestrator before this one announced and perhaps never sent, it
        is the time of the function alone.
        """
        waits = self._open and self._dead_letters.looks
        longest = self._may_run_seconds + (LONGEST_BACKLOG_SECONDS if waits else 0.0)
        return self._clock() - self._last_sent > longest and self._results.nothing_comes()

    def dead_letters(self) -> list[StepMessage]:
        found = self._dead_letters.found()
        self._open -= {(message.chain, message.step) for message in found}
        return found

    def close(self) -> None:
        self.abandon()
        self._results.close()

    def abandon(self) -> None:
        self._senders.terminate()

    def _invoke(self, message: StepMessage) -> Sent:
        began_at_ns = monotonic_ns()
        self._outages.patiently(
            self._client.invoke,
            FunctionName=self._function,
            InvocationType="Event",
            Payload=message.model_dump_json().encode(),
        )
        self._last_sent = self._clock()
        return Sent(began_at_ns, monotonic_ns() - began_at_ns)
