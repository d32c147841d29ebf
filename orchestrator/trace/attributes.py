"""What spans and their processes are said to be, in the names of OpenTelemetry's semantic conventions where it has any.

https://opentelemetry.io/docs/specs/semconv/messaging/sqs/ and .../object-stores/s3/, of the version in SCHEMA_URL.
Names of our own begin with `stepbench.`; what is not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run.lines import RunLine
from orchestrator.trace.model import Value
from stepbench.s3_uris import bucket_and_key
from stepbench.samples import S3Requests, Sample

SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
OWN = "stepbench."

Attributes = dict[str, Value]

_OF_STEP = ("epoch", "cold", "late", "interrupted", "receive_count", "results_receive_count")
_DURATIONS_OF_STEP = (
    "total_ns",
    "turnaround_ns",
    "retry_ns",
    "queue_wait_ns",
    "worker_wait_ns",
    "results_wait_ns",
    "transit_ns",
    "redelivery_ns",
    "dispatch_call_ns",
)
_OF_EXECUTION = (
    "executor",
    "serializer",
    "compression",
    "s3_client",
    "transform",
    "records",
    "bytes_in",
    "bytes_out",
    "serialized_bytes_in",
    "serialized_bytes_out",
    "checksum_in",
    "checksum_out",
    "peak_rss_bytes",
)


def own(**values: Value | None) -> Attributes:
    """Under names of our own."""
    return {OWN + name: value for name, value in values.items() if value is not None}


def of_run(run: RunLine) -> Attributes:
    plan = run.plan
    return own(
        run=run.run_id,
        environment=run.environment,
        chains=plan.chains,
        steps=plan.steps,
        concurrency=plan.concurrency,
        channel=plan.channel,
        payload_mb=plan.payload_mb,
        materialize=plan.materialize,
    )


def of_orchestrator(file: MetricsFile) -> Attributes:
    """Attributes of the process that drove the run."""
    run = file.run
    return {
        **_process("stepbench-orchestrator", run.run_id, run),
        **({"host.name": str(run.machine["host"])} if "host" in run.machine else {}),
    }


def of_workers(file: MetricsFile) -> dict[str, Mapping[str, Value]]:
    """The same for each worker that answered."""
    hosts = {sample.worker: sample.host for sample in (*file.warmups, *file.samples)}
    service, more = _who_does_steps(file.run)
    return {
        worker: {**_process(service, worker, file.run), "host.name": host, **more} for worker, host in hosts.items()
    }


def _who_does_steps(run: RunLine) -> tuple[str, Attributes]:
    """The service's name, and what else its channel tells of it."""
    if run.plan.lambda_function is not None:
        return "stepbench-function", {"cloud.resource_id": run.plan.lambda_function}
    return ("stepbench-executors" if run.plan.steps_queue_url is None else "stepbench-worker"), {}


def _process(service: str, instance: str, run: RunLine) -> Attributes:
    found: Attributes = {"service.name": service, "service.instance.id": instance}
    if version := run.versions.get("stepbench"):
        found["service.version"] = version
    if run.environment == "aws":
        found["cloud.provider"] = "aws"
        if region := run.settings.get("AWS_REGION"):
            found["cloud.region"] = str(region)
    return found


def of_step(sample: Sample) -> Attributes:
    return _chosen(sample, (*_OF_STEP, *_DURATIONS_OF_STEP))


def of_execution(sample: Sample) -> Attributes:
    return _chosen(sample, _OF_EXECUTION)


def of_message(operation: str, run_id: str, queue_url: str | None) -> Attributes:
    """`operation`: send or process. Nothing where the message goes through no queue."""
    if queue_url is None:
        return {}
    return {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue_url.rpartition("/")[2],
        "messaging.message.conversation_id": run_id,
        "aws.sqs.queue.url": queue_url,
    }


def of_phase(sample: Sample, name: str) -> Attributes:
    found = own(cpu_ns=next((spent_ns for phase, spent_ns in sample.cpu_ns.items() if phase == name), None))
    if name == "download":
        found |= _transfer("GetObject", sample.input_uri, sample.s3.get) | own(bytes=sample.bytes_in)
    elif name == "upload":
        found |= _transfer("PutObject", sample.output_uri, sample.s3.put) | own(bytes=sample.bytes_out)
    return found


def _transfer(method: str, uri: str, told: S3Requests) -> Attributes:
    bucket, key = bucket_and_key(uri)
    found: Attributes = {
        "rpc.system": "aws-api",
        "rpc.service": "S3",
        "rpc.method": method,
        "aws.s3.bucket": bucket,
        "aws.s3.key": key,
    }
    if told.request_ids:
        found["aws.request_id"] = told.request_ids[0]
    for status, count in sorted((told.statuses or {}).items()):
        found[f"{OWN}s3.status.{status}"] = count
    counts = {
        "s3.requests": told.requests,
        "s3.retries": told.retries,
        "s3.connections_opened": told.connections_opened,
    }
    return found | {OWN + name: count for name, count in counts.items() if count is not None}


def _chosen(sample: Sample, names: Iterable[str]) -> Attributes:
    return own(**{name: getattr(sample, name) for name in names})
