"""Where a delay must appear: said before anything is measured, and why.

A delay lies between two stamps, of one clock or of two; which these are decides the part. What goes on at the same time
hides it: of two waits side by side, the shorter one shows nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepbench.samples import PHASES
from tests.delays.places import Place

Parts = Mapping[str, int]
"""Of one step, in nanoseconds."""
PARTS = (
    *("turnaround", "retry", "queue_wait", "worker_wait", *PHASES),
    *("other", "results_wait", "transit", "redelivery"),
)
"""All that make up a chain's wall."""
NEXT = "next step's "
"""Before a part of the step that follows the delayed one."""
NOWHERE: None = None


@dataclass(frozen=True)
class Expected:
    """The delay, less what else went by at the same time, in one part."""

    part: str | None
    why: str
    hidden_ns: Callable[[Parts, Parts], float] = lambda _step, _next: 0.0
    """How much of it: of the delayed step's parts and those of the one that follows it."""


def _until_the_next_is_received(step: Parts, following: Parts) -> float:
    """From a completion's send until the worker has the next step message.

    A transit is four halves of calls. Three of them lie in between, and the end of one is when the worker would have
    gone on without the delay: the half that answers the completion's send.
    """
    halves = step["transit"] / 4 + following["transit"] / 4
    return step["results_wait"] + following["turnaround"] + following["queue_wait"] + halves


EXPECTED: dict[Place, Expected] = {
    "S3 GET: request": Expected("download", "the executor waits for the object"),
    "S3 GET: reply": Expected("download", "the executor waits for the object"),
    "executor: decode": Expected("deserialize", "it is the phase"),
    "executor: transform": Expected("transform", "it is the phase"),
    "executor: encode": Expected("serialize", "it is the phase"),
    "executor: between phases": Expected("other", "the executor's wall less the phases"),
    "S3 PUT: request": Expected("upload", "the executor waits until the object is stored"),
    "S3 PUT: reply": Expected("upload", "the executor waits until the object is stored"),
    "worker: before the step": Expected("worker_wait", "received to begun"),
    "worker: after the step": Expected("worker_wait", "done to the begin of the completion's send"),
    "orchestrator: completion to dispatch": Expected("turnaround", "it is that"),
    "step message's send: request": Expected("transit", "the dispatch has begun, SQS has not stamped it"),
    "step message's send: reply": Expected(NOWHERE, "the step runs meanwhile"),
    "step message's receive: request": Expected(NOWHERE, "the step before runs meanwhile"),
    "step message's receive: request after the send": Expected("queue_wait", "the message lies in the queue"),
    "step message's receive: reply": Expected("transit", "SQS has stamped the receive, the worker has not"),
    "completion's send: request": Expected("transit", "its send has begun, SQS has not stamped it"),
    "completion's send: reply": Expected(
        f"{NEXT}worker_wait",
        "the worker's only executor gets no step before that; less what passes until there is one",
        _until_the_next_is_received,
    ),
    "completion's receive: request": Expected(NOWHERE, "the step runs meanwhile"),
    "completion's receive: request after the send": Expected("results_wait", "the completion lies in the queue"),
    "completion's receive: reply": Expected("transit", "SQS has stamped the receive, the orchestrator has not"),
}
