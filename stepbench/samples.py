"""The record of one accepted step, and the executor's and worker's parts of it that a completion carries.

All durations are integer nanoseconds of monotonic clocks, but for the two queue waits: those are differences of SQS's
own millisecond stamps. Which clock measures which part, and why the parts add up, is told in `orchestrator.run.parts`.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Phase = Literal["download", "decompress", "deserialize", "transform", "serialize", "compress", "checksum", "upload"]

PHASES: tuple[Phase, ...] = get_args(Phase)
"""The timed parts of a `payload` step, in the order in which a person thinks of them."""


class Frozen(BaseModel):
    """Immutable, strict, and deaf to fields it does not know (a newer writer may add some)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class S3Requests(Frozen):
    """What one S3 transfer did; null where the client cannot tell."""

    requests: int | None = None
    statuses: dict[str, int] | None = None
    retries: int | None = None
    connections_opened: int | None = None
    request_ids: tuple[str, ...] | None = None
    """Ids of the first and of the slowest few requests, for a support case."""


class S3Facts(Frozen):
    get: S3Requests = S3Requests()
    put: S3Requests = S3Requests()


class WorkerFacts(Frozen):
    """What the worker saw of one step message."""

    worker: str
    host: str
    receive_count: int
    """How often SQS had handed out the step message when this execution began; 1 unless redelivered."""
    queue_wait_ns: int
    worker_wait_ns: int
    """Received to begun by the executor, and done to the begin of the completion's send."""


class ExecutorFacts(Frozen):
    """What the executor did and measured in one step."""

    executor: str
    serializer: str
    compression: str
    s3_client: str
    """The client that really ran."""
    transform: str
    records: int | None
    """Rows of the payload handed on; null for raw bytes."""
    bytes_in: int
    bytes_out: int
    """Object sizes on S3."""
    serialized_bytes_in: int
    serialized_bytes_out: int
    """Sizes before compression."""
    checksum_in: str
    checksum_out: str
    input_uri: str
    output_uri: str
    cold: bool
    """First step of its executor, or its first with these choices."""
    peak_rss_bytes: int | None
    begun_at_ns: int
    done_at_ns: int
    """Monotonic clock of the worker's host."""
    phases_ns: dict[Phase, int]
    cpu_ns: dict[Phase, int]
    """CPU time of the executor's whole process during each phase."""
    other_ns: int
    """done - begun, less the phases."""
    s3: S3Facts


class Sample(WorkerFacts, ExecutorFacts):
    """One accepted step as it stands in the metrics file; `kind` is `warmup` for a step of a warm-up chain.

    `total_ns` = worker_wait + queue_wait + the phases + other + results_wait + transit + redelivery, exactly. Null
    durations: the step was in flight while the orchestrator was down (`interrupted`).
    """

    kind: Literal["sample", "warmup"]
    run_id: str
    chain: int
    step: int
    attempt: int
    epoch: int
    results_receive_count: int
    late: bool
    """Its step had been given up as lost before this completion came."""
    interrupted: bool
    dispatched_at_ns: int | None
    """Begin of the dispatch call of the accepted attempt; orchestrator's monotonic clock."""
    completed_at_ns: int
    """Completion received; orchestrator's monotonic clock."""
    results_wait_ns: int
    transit_ns: int | None
    redelivery_ns: int | None
    total_ns: int | None
    retry_ns: int | None
    turnaround_ns: int | None
    dispatch_call_ns: int | None
