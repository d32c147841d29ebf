"""What a run will do, decided and validated before anything is touched, and never changed afterwards."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stepbench import prefix
from stepbench.channels import traits
from stepbench.queue_urls import results_folder
from stepbench.samples import Frozen
from stepbench.settings import Settings

RUN_ID = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"
"""As `new_run_id` makes them."""
PAYLOADS_FOLDER = "payloads/"
METRICS_FOLDER = "metrics/"
DECIDED_BY = (
    "bucket",
    "prefix",
    "channel",
    "steps_queue_url",
    "lambda_function",
    "results_queue_prefix",
    "results_queue_url",
    "sse",
    "kms_key_id",
    "payload_tag",
    "steps",
    "payload_mb",
    "payload_file",
    "serializer",
    "compression",
    "compressibility",
    "records_seed",
    "materialize",
    "transform",
    "transform_cpu_ms",
    "transform_io_mb",
    "concurrency",
    "chains",
    "warmup",
    "gc",
    "s3_client",
    "step_timeout_seconds",
    "stall_timeout_seconds",
    "max_attempts",
    "step_expiry_seconds",
    "fair_queues",
)
"""The settings that `make` reads, by field name: what a run does, as against how this machine goes about it."""


class Plan(Frozen):
    """C chains of N steps over one payload recipe. The first line of a metrics file holds it whole."""

    run_id: str
    environment: Literal["embedded", "aws"]
    bucket: str
    prefix: str
    """Key prefix of everything the run writes, placeholders expanded, ending in a slash."""
    channel: str = "sqs"
    """No file from before there was another one says so."""
    steps_queue_url: str | None
    results_queue_url: str | None
    """Null where the channel goes through no such queue."""
    lambda_function: str | None = None
    """ARN of the function that does the steps; null where workers or executors of the orchestrator do them."""
    results_queue_is_own: bool
    """Made for this run and deleted at its end, as against a fixed one that runs share."""
    chains: int
    steps: int
    concurrency: int
    warmup_steps: int
    """Steps of each warm-up chain; there are `concurrency` of them, numbered from -1 downwards."""
    payload_mb: float
    payload_file: str | None
    compressibility: float
    records_seed: int
    serializer: str
    compression: str
    materialize: Literal["native", "rows"]
    transform: str
    transform_parameters: dict[str, float]
    gc: Literal["normal", "off"]
    s3_client: str
    sse: Literal["none", "s3", "kms"]
    kms_key_id: str | None
    payload_tag: bool = False
    """Whether payloads carry the object tag; no file from before there was one says so."""
    fair_queues: bool
    step_timeout_seconds: float
    stall_timeout_seconds: float
    step_expiry_seconds: float
    max_attempts: int
    metrics_file: str
    """Path of the metrics file as the user would type it."""

    @property
    def payloads_prefix(self) -> str:
        """Key prefix of every payload of the run, and of nothing else."""
        return self.prefix + PAYLOADS_FOLDER

    @property
    def metrics_key(self) -> str:
        """Key of the metrics file's copy in S3."""
        return metrics_key(self.prefix, self.run_id)


def metrics_key(prefix: str, run_id: str) -> str:
    """Below the prefix of the run that is so called."""
    return f"{prefix}{METRICS_FOLDER}metrics-{run_id}.jsonl"


def lease_name(run_id: str) -> str:
    """In METRICS_FOLDER: the object that says which orchestrator may go on with the run."""
    return f"lease-{run_id}.json"


def new_run_id(now: datetime) -> str:
    """Sorts by time, and is unique without asking anybody."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def make(
    settings: Settings,
    *,
    environment: Literal["embedded", "aws"],
    run_id: str,
    date: str,
    metrics_file: Path,
) -> Plan:
    """The plan of a new run. `settings` have a bucket and the channel's queues: the user's or the embedded stack's."""
    assert settings.bucket is not None
    results_queue_url = _results_queue_url(settings, run_id)
    return Plan(
        run_id=run_id,
        environment=environment,
        bucket=settings.bucket,
        prefix=prefix.expand(settings.prefix, run_id, date),
        channel=settings.channel,
        steps_queue_url=settings.steps_queue_url,
        results_queue_url=results_queue_url,
        lambda_function=settings.lambda_function,
        results_queue_is_own=results_queue_url is not None and settings.results_queue_url is None,
        chains=settings.chains or settings.concurrency,
        steps=settings.steps,
        concurrency=settings.concurrency,
        warmup_steps=settings.warmup,
        payload_mb=settings.payload_mb,
        payload_file=str(settings.payload_file) if settings.payload_file else None,
        compressibility=settings.compressibility,
        records_seed=settings.records_seed,
        serializer=settings.serializer,
        compression=settings.compression,
        materialize=settings.materialize,
        transform=settings.transform,
        transform_parameters={
            "transform_cpu_ms": settings.transform_cpu_ms,
            "transform_io_mb": settings.transform_io_mb,
        },
        gc=settings.gc,
        s3_client=settings.s3_client,
        sse=settings.sse,
        kms_key_id=settings.kms_key_id,
        payload_tag=settings.payload_tag,
        fair_queues=settings.fair_queues,
        step_timeout_seconds=settings.step_timeout_seconds,
        stall_timeout_seconds=settings.stall_timeout_seconds,
        step_expiry_seconds=settings.step_expiry_seconds,
        max_attempts=settings.max_attempts,
        metrics_file=str(metrics_file),
    )


def _results_queue_url(settings: Settings, run_id: str) -> str | None:
    """The fixed one, or the run's own."""
    if not traits(settings.channel).results_queue:
        return None
    return settings.results_queue_url or f"{results_folder(settings)}/{settings.results_queue_prefix}{run_id}"


def utc_now() -> datetime:
    return datetime.now(UTC)
