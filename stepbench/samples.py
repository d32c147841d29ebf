"""The record of one accepted step, and the executor's and worker's parts of it that a completion carries.

All durations are integer nanoseconds of monotonic clocks, but for the two queue waits: those are differences of SQS's
own millisecond stamps. Which clock measures which part, and why the parts add up, is told in `orchestrator.run.parts`.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Phase = Literal["download", "decompress", "deserialize", "transform", "serialize", "compress", "checksum", "upload"]

PHASES: tuple[Phase, ...] = get_args(Phase)
"""The timed parts of a `payload` step, in the order in which a person thinks of them."""


_MOST = 2**59
"""18 years in nanoseconds. A step's parts are some of these, and what is left of them must not pass what JSON holds."""
Whole = Annotated[int, Field(ge=-_MOST, le=_MOST)]
"""A number that any reader of JSON can hold, and that sums can be made of."""
Rest = Annotated[int, Field(ge=1 - 2**63, le=2**63 - 1)]
"""What a sum of those is."""
Checksum = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
S3Uri = Annotated[str, Field(pattern=r"^s3://[^/]+/.+$", max_length=1_200)]
Count = Annotated[int, Field(ge=0, le=_MOST)]


class Frozen(BaseModel):
    """Immutable, strict, and deaf to fields it does not know (a newer writer may add some)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class S3Requests(Frozen):
    """What one S3 transfer did; null where the client cannot tell."""

    requests: Count | None = None
    statuses: dict[str, Count] | None = None
    retries: Count | None = None
    connections_opened: Count | None = None
    request_ids: tuple[str, ...] | None = None
    """Ids of the first and of the slowest few requests, for a support case."""

    def and_again(self, again: S3Requests) -> S3Requests:
        """A transfer that was made twice, because the first one did not bring what was announced."""
        statuses = None
        if self.statuses is not None and again.statuses is not None:
            statuses = dict(Counter(self.statuses) + Counter(again.statuses))
        return S3Requests(
            requests=_sum(self.requests, again.requests),
            statuses=statuses,
            retries=_sum(self.retries, again.retries, 1),
            connections_opened=_sum(self.connections_opened, again.connections_opened),
            request_ids=self.request_ids or again.request_ids,
        )


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


class S3Facts(Frozen):
    get: S3Requests = S3Requests()
    put: S3Requests = S3Requests()


class WorkerFacts(Frozen):
    """What the worker saw of one step message."""

    worker: str
    host: str
    receive_count: Count | None
    """How often SQS had handed out the step message when this execution began; 1 unless redelivered. Null, like the
    wait, where the step came through no queue."""
    queue_wait_ns: Whole | None
    worker_wait_ns: Whole
    """Received to begun by the executor, and done to the begin of the completion's send."""
    sqs_throttled: Count = 0
    """Answers by which SQS asked this worker to send less, since it published the completion before this one."""
    sqs_requests: Count | None = None
    """All that this worker sent to SQS since then, idle polls and the SDK's retries included; null: nobody counted."""


class ExecutorFacts(Frozen):
    """What the executor did and measured in one step."""

    executor: str
    serializer: str
    compression: str
    s3_client: str
    """The client that really ran."""
    transform: str
    records: Count | None
    """Rows of the payload handed on; null for raw bytes."""
    bytes_in: Count
    bytes_out: Count
    """Object sizes on S3."""
    serialized_bytes_in: Count
    serialized_bytes_out: Count
    """Sizes before compression."""
    checksum_in: Checksum
    checksum_out: Checksum
    input_uri: S3Uri
    output_uri: S3Uri
    cold: bool
    """First step of its executor, or its first with these choices."""
    peak_rss_bytes: Count | None
    begun_at_ns: Whole
    done_at_ns: Whole
    """Monotonic clock of the worker's host."""
    phases_ns: dict[Phase, Count]
    cpu_ns: dict[Phase, Count]
    """CPU time of the executor's whole process during each phase, with that of programs which it ran to their ends."""
    other_ns: Whole
    """done - begun, less the phases."""
    s3: S3Facts

    def waited_ns(self, received_at_ns: int, leaves_at_ns: int) -> int:
        """Received to begun, and done to leaving, by the monotonic clock of the executor's host."""
        return (self.begun_at_ns - received_at_ns) + (leaves_at_ns - self.done_at_ns)


class Sample(WorkerFacts, ExecutorFacts):
    """One accepted step as it stands in the metrics file; `kind` is `warmup` for a step of a warm-up chain.

    `total_ns` = worker_wait + queue_wait + the phases + other + results_wait + transit + redelivery, exactly. Null
    durations: the step was in flight while the orchestrator was down (`interrupted`). What its channel cannot tell is
    null too, and no part of the sum: waits and receives of a queue where there is none, and redelivery.
    """

    kind: Literal["sample", "warmup"]
    run_id: str
    chain: Whole
    step: Count
    attempt: Count
    epoch: Count
    results_receive_count: Count | None
    late: bool
    """Its step had been given up as lost before this completion came."""
    interrupted: bool
    dispatched_at_ns: Whole | None
    """Begin of the dispatch call of the accepted attempt; orchestrator's monotonic clock."""
    completed_at_ns: Whole
    """Completion received; orchestrator's monotonic clock."""
    results_wait_ns: Whole | None
    transit_ns: Rest | None
    redelivery_ns: Rest | None
    total_ns: Whole | None
    retry_ns: Whole | None
    turnaround_ns: Whole | None
    dispatch_call_ns: Whole | None
