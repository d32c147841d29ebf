"""Where a step's time went: the parts of its total, each by the one clock that can tell it.

    part                                                          clock
    total: dispatch call begins → completion received             orchestrator, monotonic
    queue wait: first receive - sent, of the step message         SQS's own two stamps, in ms
    worker wait: received → begun, and done → send begins         worker's host, monotonic
    the phases, and other (executor's wall less the phases)       executor, monotonic
    results wait: first receive - sent, of the completion         SQS's own two stamps, in ms
    transit: total less all of the above                          by subtraction

Two hosts' clocks are never subtracted from each other. Transit is what is left: the network's halves of both sends
and both receives. As SQS stamps whole milliseconds, it may come out as low as -2 ms. Where either message was received
more than once, the remainder is `redelivery` instead, because SQS stamps the first receive only.

What a channel cannot tell is null and adds nothing: where there is no queue, there are no waits in one, and where
neither message can come twice, no redelivery.
"""

from __future__ import annotations

from orchestrator.channels import Arrival
from orchestrator.run.chain import Record
from stepbench.samples import Sample


def sample_of(record: Record, arrival: Arrival, run_id: str) -> Sample:
    """The sample of an accepted completion. Raises ValueError for a completion without its facts."""
    completion = record.completion
    worker, executor = completion.worker, completion.executor
    if worker is None or executor is None:
        raise ValueError(f"the completion of chain {completion.chain} step {completion.step} has no facts")
    receives = [count for count in (worker.receive_count, arrival.results_receive_count) if count is not None]
    redelivered = max(receives, default=1) > 1
    rest_ns = None
    if record.total_ns is not None:
        inside_ns = worker.worker_wait_ns + sum(executor.phases_ns.values()) + executor.other_ns
        rest_ns = record.total_ns - (worker.queue_wait_ns or 0) - inside_ns - (arrival.results_wait_ns or 0)
    nothing = None if rest_ns is None or not receives else 0
    return Sample(
        **dict(worker),
        **dict(executor),
        kind="warmup" if record.warmup else "sample",
        run_id=run_id,
        chain=completion.chain,
        step=completion.step,
        attempt=completion.attempt,
        epoch=completion.epoch,
        results_receive_count=arrival.results_receive_count,
        late=record.late,
        interrupted=record.total_ns is None,
        dispatched_at_ns=record.dispatched_at_ns,
        completed_at_ns=record.completed_at_ns,
        results_wait_ns=arrival.results_wait_ns,
        transit_ns=nothing if redelivered else rest_ns,
        redelivery_ns=rest_ns if redelivered else nothing,
        total_ns=record.total_ns,
        retry_ns=record.retry_ns,
        turnaround_ns=record.turnaround_ns,
        dispatch_call_ns=record.dispatch_call_ns,
    )
