"""Makes messages that are valid in every field, so that a test names only what it is about."""

from __future__ import annotations

from time import time
from typing import Any

from stepbench.messages import Completion, OutputSpec, PayloadRef, StepError, StepMessage
from stepbench.queues import Outgoing, Received
from stepbench.samples import PHASES, ExecutorFacts, Phase, S3Facts, WorkerFacts
from worker.held import HeldStep

BUCKET = "bucket"
PREFIX = "orchestration-bench/runs/"
QUEUES = "https://sqs.eu-west-1.amazonaws.com/123456789012"
STEPS_QUEUE = f"{QUEUES}/steps"
RESULTS_QUEUE = f"{QUEUES}/stepbench-results-r1"
CHECKSUM = "sha256:" + "0" * 64


def make_ref(name: str = "first", **changes: Any) -> PayloadRef:
    values: dict[str, Any] = {
        "uri": f"s3://{BUCKET}/{PREFIX}r1/payloads/{name}.json",
        "object_bytes": 100,
        "serialized_bytes": 100,
        "checksum": CHECKSUM,
        "serializer": "json",
        "compression": "none",
    }
    return PayloadRef(**values | changes)


def make_output_spec(**changes: Any) -> OutputSpec:
    values: dict[str, Any] = {
        "key_prefix": f"s3://{BUCKET}/{PREFIX}r1/payloads/chain00001-step00001-",
        "serializer": "json",
        "compression": "none",
        "sse": "none",
        "kms_key_id": None,
    }
    return OutputSpec(**values | changes)


def make_message(**changes: Any) -> StepMessage:
    values: dict[str, Any] = {
        "run": "r1",
        "chain": 1,
        "step": 1,
        "attempt": 1,
        "epoch": 1,
        "step_kind": "payload",
        "input": make_ref(),
        "output": make_output_spec(),
        "transform": "noop",
        "transform_parameters": {},
        "materialize": "native",
        "gc": "normal",
        "s3_client": "boto3",
        "step_timeout_seconds": 900.0,
        "results_queue_url": RESULTS_QUEUE,
        "expires_at": time() + 86_400,
    }
    return StepMessage(**values | changes)


def make_executor_facts(**changes: Any) -> ExecutorFacts:
    phases: dict[Phase, int] = {phase: 1_000 * number for number, phase in enumerate(PHASES, 1)}
    values: dict[str, Any] = {
        "executor": "w1-e1",
        "serializer": "json",
        "compression": "none",
        "s3_client": "boto3",
        "transform": "noop",
        "records": 3,
        "bytes_in": 100,
        "bytes_out": 100,
        "serialized_bytes_in": 100,
        "serialized_bytes_out": 100,
        "checksum_in": CHECKSUM,
        "checksum_out": CHECKSUM,
        "input_uri": make_ref().uri,
        "output_uri": make_ref("output").uri,
        "cold": False,
        "peak_rss_bytes": 1_000_000,
        "begun_at_ns": 1_000_000,
        "done_at_ns": 1_000_000 + sum(phases.values()) + 500,
        "phases_ns": phases,
        "cpu_ns": phases,
        "other_ns": 500,
        "s3": S3Facts(),
    }
    return ExecutorFacts(**values | changes)


def make_worker_facts(**changes: Any) -> WorkerFacts:
    values: dict[str, Any] = {
        "worker": "w1",
        "host": "host1",
        "receive_count": 1,
        "queue_wait_ns": 3_000_000,
        "worker_wait_ns": 7_000,
    }
    return WorkerFacts(**values | changes)


def make_done(**changes: Any) -> Completion:
    """The completion of an attempt that is done, as it stands in a results queue."""
    values: dict[str, Any] = {
        "run": "r1",
        "chain": 1,
        "step": 1,
        "attempt": 1,
        "epoch": 1,
        "expires_at": time() + 86_400,
        "output": make_ref("output"),
        "executor": make_executor_facts(),
        "worker": make_worker_facts(),
    }
    return Completion(**values | changes)


def make_failed(retryable: bool = True, phase: Phase | None = "download", **changes: Any) -> Completion:
    """The completion of an attempt that failed."""
    error = StepError(error_class="SlowDown", message="slow down", retryable=retryable, phase=phase)
    values: dict[str, Any] = {
        "run": "r1",
        "chain": 1,
        "step": 1,
        "attempt": 1,
        "epoch": 1,
        "expires_at": time() + 86_400,
        "error": error,
    }
    return Completion(**values | changes)


def make_held(receipt: str = "receipt", received_at_ns: int = 0, receive_count: int = 1, **changes: Any) -> HeldStep:
    """A step message in a worker's hands; `changes` are the message's."""
    message = make_message(**changes)
    received = Received(
        id=f"id of {receipt}",
        receipt=receipt,
        body=message.model_dump_json(),
        sent_at_ms=1_700_000_000_000,
        first_received_at_ms=1_700_000_000_004,
        receive_count=receive_count,
    )
    return HeldStep(message=message, received=received, received_at_ns=received_at_ns)


def outgoing(*bodies: str) -> list[Outgoing]:
    return [Outgoing(body) for body in bodies]
