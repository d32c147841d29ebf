"""How far SQS is from here, in a few cheap calls, and from when on that is more than a run should have in its figures.

Half a round trip is in the send of each step message before SQS stamps it, and half in the receive of its completion
after SQS stamped that: together one round trip in each step's transit, and in the wall of its chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

CALLS = 5
FAR_NS = 30_000_000
"""SQS's own work takes some milliseconds of a call, and so does the whole of transit where orchestrator, workers and
queue are in one region. 30 ms is several times that: it is distance, and from then on transit tells mostly about it."""
MEND = "scripts/run-on-aws start runs the orchestrator in the region"
SHARE_THAT_MATTERS = 0.1
"""Of a step's wall. Below that, a run's figures are not about the distance however far SQS is."""


def durations_ns(call: Callable[[], object], calls: int = CALLS) -> tuple[int, ...]:
    """Of `calls` calls, after one that opens the connection. Raises what `call` raises."""
    call()
    return tuple(_duration_ns(call) for _ in range(calls))


def to_sqs(client: SQSClient, steps_queue_url: str) -> tuple[int, ...]:
    """By a call that changes nothing and that every orchestrator may make. Raises the SDK's errors."""
    return durations_ns(lambda: client.get_queue_attributes(QueueUrl=steps_queue_url, AttributeNames=["QueueArn"]))


def is_far(durations_ns: Sequence[int]) -> bool:
    """By the median: one slow call is no distance."""
    return bool(durations_ns) and median(durations_ns) >= FAR_NS


def warning(durations_ns: Sequence[int]) -> str:
    """For before a run whose steps nobody has seen yet."""
    middle_ns = median(durations_ns)
    return (
        f"SQS is {middle_ns / 1e6:.0f} ms away (there and back, median of {len(durations_ns)} calls), and that is in "
        f"every step's transit: in steps below {middle_ns / SHARE_THAT_MATTERS / 1e9:.2g} s it is more than a tenth of "
        f"the time. {MEND}."
    )


def _duration_ns(call: Callable[[], object]) -> int:
    began = perf_counter_ns()
    call()
    return perf_counter_ns() - began
