"""Makes runs whose figures are consistent: stamps first, parts cut out of them, as the program itself would write."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.run.lines import Event, Failure, Line, RunLine, SummaryLine
from orchestrator.run.plan import Plan
from stepbench.samples import PHASES, S3Facts, S3Requests, Sample

MS = 1_000_000
AT = "2025-01-02T03:04:05.678Z"


def make_plan(run_id: str = "r1", **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "run_id": run_id,
        "environment": "embedded",
        "bucket": "bucket",
        "prefix": f"orchestration-bench/runs/2025-01-02/{run_id}/",
        "steps_queue_url": "http://localhost/1/steps",
        "results_queue_url": f"http://localhost/1/results-{run_id}",
        "results_queue_is_own": True,
        "chains": 2,
        "steps": 3,
        "concurrency": 2,
        "warmup_steps": 1,
        "payload_mb": 50.0,
        "payload_file": None,
        "compressibility": 0.5,
        "records_seed": 1,
        "serializer": "json",
        "compression": "none",
        "materialize": "native",
        "transform": "noop",
        "transform_parameters": {},
        "gc": "normal",
        "s3_client": "boto3",
        "sse": "none",
        "kms_key_id": None,
        "fair_queues": True,
        "step_timeout_seconds": 900.0,
        "stall_timeout_seconds": 300.0,
        "step_expiry_seconds": 86_400.0,
        "max_attempts": 3,
        "metrics_file": f"out/metrics-{run_id}.jsonl",
    }
    return Plan.model_validate(values | changes)


def make_run_line(plan: Plan, **settings: Any) -> RunLine:
    return RunLine(
        run_id=plan.run_id,
        started_at=AT,
        environment=plan.environment,
        plan=plan,
        settings={"STEPS": plan.steps, **settings},
        versions={"stepbench": "0.1.0"},
        machine={"cpus": 2},
    )


def make_sample(**changes: Any) -> Sample:
    """One consistent sample of 100 ms phases; `changes` are taken as they are, consistent or not."""
    phases = dict.fromkeys(PHASES, 100 * MS)
    values: dict[str, Any] = {
        "kind": "sample",
        "run_id": "r1",
        "chain": 1,
        "step": 1,
        "attempt": 1,
        "epoch": 1,
        "worker": "w1",
        "executor": "e1",
        "host": "h1",
        "serializer": "json",
        "compression": "none",
        "s3_client": "boto3",
        "transform": "noop",
        "records": 1000,
        "bytes_in": 50_000_000,
        "bytes_out": 50_000_000,
        "serialized_bytes_in": 50_000_000,
        "serialized_bytes_out": 50_000_000,
        "checksum_in": "sha256:" + "0" * 64,
        "checksum_out": "sha256:" + "0" * 64,
        "input_uri": "s3://bucket/in",
        "output_uri": "s3://bucket/out",
        "receive_count": 1,
        "results_receive_count": 1,
        "cold": False,
        "late": False,
        "interrupted": False,
        "peak_rss_bytes": 300_000_000,
        "begun_at_ns": 5_000 * MS,
        "done_at_ns": 5_801 * MS,
        "phases_ns": phases,
        "cpu_ns": {name: duration // 2 for name, duration in phases.items()},
        "other_ns": 1 * MS,
        "worker_wait_ns": 2 * MS,
        "queue_wait_ns": 3 * MS,
        "results_wait_ns": 4 * MS,
        "transit_ns": 5 * MS,
        "redelivery_ns": 0,
        "total_ns": 815 * MS,
        "retry_ns": 0,
        "turnaround_ns": 0,
        "dispatched_at_ns": 1_000 * MS,
        "completed_at_ns": 1_815 * MS,
        "dispatch_call_ns": 2 * MS,
        "s3": S3Facts(get=_requests(), put=_requests()),
    }
    return Sample.model_validate(values | changes)


def make_interrupted(sample: Sample) -> Sample:
    """The same step, as if the orchestrator had been down during it."""
    gone = ("dispatched_at_ns", "transit_ns", "redelivery_ns", "total_ns", "retry_ns", "turnaround_ns")
    return sample.model_copy(update={**dict.fromkeys(gone), "dispatch_call_ns": None, "interrupted": True})


@dataclass
class MadeRun:
    """The lines of a whole run in the order of a metrics file."""

    plan: Plan
    lines: list[Line] = field(default_factory=list)

    @property
    def samples(self) -> list[Sample]:
        return [line for line in self.lines if isinstance(line, Sample)]

    def replace(self, old: Line, new: Line) -> None:
        self.lines[self.lines.index(old)] = new

    def texts(self) -> list[bytes]:
        return [line.model_dump_json().encode() + b"\n" for line in self.lines]

    def write(self, folder: Path) -> Path:
        path = folder / f"metrics-{self.plan.run_id}.jsonl"
        path.write_bytes(b"".join(self.texts()))
        return path


def make_run(seed: int = 1, *, finished: bool = True, cold: bool = True, **plan_changes: Any) -> MadeRun:
    """A run with consistent figures from `seed`; the first step of each chain is cold unless told otherwise."""
    rng = random.Random(seed)
    run = MadeRun(make_plan(**plan_changes))
    run.lines += [make_run_line(run.plan), Event(event="first_payload", at=AT, duration_ns=300 * MS)]
    for chain in range(1, run.plan.chains + 1):
        run.lines += _chain(rng, run.plan, chain, cold)
    if finished:
        run.lines.append(SummaryLine.model_validate({"wall_ns": 1}))
    return run


def make_failure(chain: int, step: int, attempt: int = 1, **changes: Any) -> Failure:
    values: dict[str, Any] = {
        "at": AT,
        "run_id": "r1",
        "chain": chain,
        "step": step,
        "attempt": attempt,
        "error_class": "ChecksumMismatch",
        "message": "announced abc, found def",
        "phase": "download",
        "retryable": True,
    }
    return Failure.model_validate(values | changes)


def announced(*samples: Sample) -> list[Line]:
    """The samples, each after the line that tells of its dispatch."""
    lines: list[Line] = []
    for sample in samples:
        place = {"chain": sample.chain, "step": sample.step, "attempt": sample.attempt, "epoch": sample.epoch}
        lines += [Event.model_validate({"event": "dispatching", "at": AT, **place}), sample]
    return lines


def with_unknown_field(line: Line) -> bytes:
    return json.dumps(json.loads(line.model_dump_json()) | {"of_tomorrow": [1]}).encode() + b"\n"


def _chain(rng: random.Random, plan: Plan, chain: int, cold: bool) -> list[Line]:
    lines: list[Line] = []
    begun = completed = 10**12 + rng.randrange(10**9)
    for step in range(1, plan.steps + 1):
        turnaround = 0 if step == 1 else rng.randrange(3 * MS)
        retry = rng.choice((0, 0, 0, rng.randrange(50 * MS)))
        attempt = 2 if retry else 1
        dispatched = completed + turnaround + retry
        sample = _sample(
            rng,
            plan,
            dispatched=dispatched,
            chain=chain,
            step=step,
            turnaround_ns=turnaround,
            retry_ns=retry,
            attempt=attempt,
            cold=cold and step == 1,
        )
        completed = sample.completed_at_ns
        prefix = f"s3://{plan.bucket}/{plan.prefix}chain-{chain}/step-{step}/"
        dispatching = {"event": "dispatching", "at": AT, "chain": chain, "step": step, "output_prefix": prefix}
        lines += [Event.model_validate(dispatching | {"attempt": n, "epoch": 1}) for n in range(1, attempt + 1)]
        lines.append(sample)
    lines.append(Event(event="chain_finished", at=AT, chain=chain, ok=True, wall_ns=completed - begun))
    return lines


def _sample(rng: random.Random, plan: Plan, *, dispatched: int, **identity: Any) -> Sample:
    phases = {name: rng.randrange(80 * MS, 500 * MS) for name in PHASES}
    phases |= {"transform": rng.randrange(50_000), "compress": 900, "decompress": 900}
    waits = {
        "other_ns": rng.randrange(MS),
        "worker_wait_ns": rng.randrange(2 * MS),
        "queue_wait_ns": rng.randrange(9) * MS,
        "results_wait_ns": rng.randrange(9) * MS,
        "transit_ns": rng.randrange(-2 * MS, 20 * MS),
        "redelivery_ns": rng.choice((0, 0, rng.randrange(9 * MS))),
    }
    total = sum(phases.values()) + sum(waits.values())
    return make_sample(
        run_id=plan.run_id,
        serializer=plan.serializer,
        compression=plan.compression,
        phases_ns=phases,
        cpu_ns={name: rng.randrange(duration + 1) for name, duration in phases.items()},
        total_ns=total,
        begun_at_ns=dispatched,
        done_at_ns=dispatched + sum(phases.values()) + waits["other_ns"],
        dispatched_at_ns=dispatched,
        completed_at_ns=dispatched + total,
        **waits,
        **identity,
    )


def _requests() -> S3Requests:
    return S3Requests(requests=7, statuses={"200": 7}, retries=0, connections_opened=0, request_ids=("a",))


def without_queues(run: MadeRun) -> MadeRun:
    """The same run through a channel that has none: what was waited for in them is waited for elsewhere."""
    plan = run.plan.model_copy(update={"channel": "direct", **_NO_QUEUES})
    lines = [_without_queues(line) if isinstance(line, Sample) else line for line in run.lines]
    lines[0] = run.lines[0].model_copy(update={"plan": plan})
    return MadeRun(plan, lines)


_NO_QUEUES = {"steps_queue_url": None, "results_queue_url": None, "results_queue_is_own": False}
_OF_QUEUES = ("queue_wait_ns", "receive_count", "results_wait_ns", "results_receive_count", "redelivery_ns")


def _without_queues(sample: Sample) -> Sample:
    elsewhere_ns = (sample.queue_wait_ns or 0) + (sample.results_wait_ns or 0) + (sample.redelivery_ns or 0)
    absent: dict[str, Any] = dict.fromkeys(_OF_QUEUES)
    return sample.model_copy(update={**absent, "worker_wait_ns": sample.worker_wait_ns + elsewhere_ns})


FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:stepbench"


def by_function(run: MadeRun, function: str = FUNCTION) -> MadeRun:
    """The same run by a Lambda function: what was waited for on the way to the executor is transit."""
    update = {"channel": "lambda", "lambda_function": function, "steps_queue_url": None}
    plan = run.plan.model_copy(update=update)
    lines = [_without_steps_queue(line) if isinstance(line, Sample) else line for line in run.lines]
    lines[0] = run.lines[0].model_copy(update={"plan": plan})
    return MadeRun(plan, lines)


def _without_steps_queue(sample: Sample) -> Sample:
    transit_ns = (sample.transit_ns or 0) + (sample.queue_wait_ns or 0) + sample.worker_wait_ns
    absent: dict[str, Any] = {"queue_wait_ns": None, "receive_count": None, "worker_wait_ns": 0}
    return sample.model_copy(update={**absent, "transit_ns": transit_ns})
