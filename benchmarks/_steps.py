"""One step at a time, in the real worker and in the direct process, each on the same object.

Here the benchmark plays the orchestrator's part towards the worker: it sends the step message and receives the
completion. A run's start-up and its chain would only stand between the two steps that are compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time
from typing import Protocol

from benchmarks import _direct
from benchmarks._processes import cpu_seconds, with_descendants
from benchmarks._stack import ProgramFailed, running, scratch, surroundings
from orchestrator.local.stack import Stack
from orchestrator.run.first_payload import Destination, Recipe, making
from stepbench.aws import AwsConfig
from stepbench.messages import Completion, OutputSpec, PayloadRef, StepMessage, parse
from stepbench.queues import Outgoing
from stepbench.queues.sqs import SqsQueue
from stepbench.s3_clients import Encryption, TransferOptions
from stepbench.s3_uris import bucket_and_key, uri
from stepbench.settings import Settings

FOLDER = "orchestration-bench/runs/benchmark/"
"""Below the default prefix, where a worker may read and write."""
RUN = "benchmark"
VISIBILITY_SECONDS = 600
PHASE_NAMES = ("download", "deserialize", "serialize", "checksum", "upload", "other")


@dataclass(frozen=True)
class Step:
    """What one step took, in either arm."""

    wall_ns: int
    """Begun to done, in the process that did it."""
    worker_ns: int
    """What the worker added: received to begun, and done to the completion's send. 0 in the direct process."""
    cpu_seconds: float
    """Of the process that did it, from the request until the answer."""
    peak_rss_bytes: int
    phases_ns: dict[str, int]
    checksum: str


def first_payload(stack: Stack, serializer: str, payload_mb: float) -> PayloadRef:
    """Made and uploaded by the orchestrator's own child process."""
    settings = stack.settings.model_copy(update={"serializer": serializer, "payload_mb": payload_mb})
    destination = Destination(
        uri_prefix=uri(stack.bucket, f"{FOLDER}first-{serializer}"),
        s3_client="boto3",
        encryption=Encryption(),
        aws=AwsConfig.of(settings),
        transfer=TransferOptions.of(settings),
    )
    with making(Recipe.of(settings), surroundings(stack)) as payload:
        payload.wait_until_made()
        return payload.upload(destination)[0]


class StepArm(Protocol):
    """Does one step on a payload and removes what it wrote."""

    def step(self, payload: PayloadRef) -> Step: ...


class WorkerArm:
    """Sends steps to a worker that is up already, one at a time."""

    def __init__(self, stack: Stack, worker: subprocess.Popen[bytes]) -> None:
        sqs = stack.clients().sqs
        url = sqs.create_queue(QueueName=f"{stack.settings.results_queue_prefix}{RUN}")["QueueUrl"]
        self._stack = stack
        self._executors = with_descendants(worker.pid)[1:]
        self._steps = SqsQueue(sqs, stack.steps_queue_url, VISIBILITY_SECONDS)
        self._results = SqsQueue(sqs, url, VISIBILITY_SECONDS)

    def step(self, payload: PayloadRef) -> Step:
        message = self._message(payload)
        began = cpu_seconds(self._executors)
        self._steps.send([Outgoing(message.model_dump_json())])
        while not (received := self._results.receive(1, 20)):
            continue
        spent = cpu_seconds(self._executors) - began
        self._results.delete([received[0].receipt])
        done = parse(Completion, received[0].body)
        if done.executor is None or done.worker is None or done.output is None:
            raise ProgramFailed(f"the step failed: {done.error}")
        _delete(self._stack, done.output.uri)
        facts = done.executor
        return Step(
            wall_ns=facts.done_at_ns - facts.begun_at_ns,
            worker_ns=done.worker.worker_wait_ns,
            cpu_seconds=spent,
            peak_rss_bytes=facts.peak_rss_bytes or 0,
            phases_ns=dict(facts.phases_ns) | {"other": facts.other_ns},
            checksum=facts.checksum_out,
        )

    def _message(self, payload: PayloadRef) -> StepMessage:
        defaults = self._stack.settings
        return StepMessage(
            run=RUN,
            chain=1,
            step=1,
            attempt=1,
            epoch=1,
            step_kind="payload",
            input=payload,
            output=OutputSpec(
                key_prefix=uri(self._stack.bucket, f"{FOLDER}worker-"),
                serializer=payload.serializer,
                compression=payload.compression,
                sse="none",
                kms_key_id=None,
            ),
            transform="noop",
            transform_parameters={},
            materialize="native",
            gc="normal",
            s3_client="boto3",
            step_timeout_seconds=defaults.step_timeout_seconds,
            results_queue_url=self._results.url,
            expires_at=time() + defaults.step_expiry_seconds,
        )


class DirectArm:
    """Asks the direct process for steps, one at a time."""

    def __init__(self, stack: Stack, process: subprocess.Popen[bytes]) -> None:
        self._stack = stack
        self._process = process

    def step(self, payload: PayloadRef) -> Step:
        output = f"{FOLDER}direct-{uuid.uuid4().hex}"
        _bucket, key = bucket_and_key(payload.uri)
        checksum = payload.checksum.removeprefix("sha256:")
        began = cpu_seconds([self._process.pid])
        done = json.loads(self.ask({"input": key, "checksum": checksum, "output": output}))
        spent = cpu_seconds([self._process.pid]) - began
        _delete(self._stack, uri(self._stack.bucket, output))
        return Step(
            wall_ns=done["wall_ns"],
            worker_ns=0,
            cpu_seconds=spent,
            peak_rss_bytes=done["peak_rss_bytes"],
            phases_ns=done["phases_ns"],
            checksum=f"sha256:{done['checksum']}",
        )

    def ask(self, request: dict[str, object]) -> bytes:
        """The line that answers. Raises ProgramFailed if the process is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        if line := self._process.stdout.readline():
            return line
        raise ProgramFailed("the direct process ended; what it said stands above")


@contextmanager
def direct_arm(stack: Stack, serializer: str) -> Iterator[DirectArm]:
    """A fresh process with its client connected, configured as an executor is by default."""
    settings: Settings = stack.settings
    request = {
        "bucket": stack.bucket,
        "serializer": serializer,
        **AwsConfig.of(settings).model_dump(),
        **TransferOptions.of(settings).model_dump(),
    }
    command = [sys.executable, _direct.__file__]
    with (
        scratch() as folder,
        running(command, surroundings(stack), folder=folder, stdout=subprocess.PIPE) as process,
    ):
        arm = DirectArm(stack, process)
        if arm.ask(request) != b"ready\n":
            raise ProgramFailed("the direct process did not come up; what it said stands above")
        yield arm


def _delete(stack: Stack, of_uri: str) -> None:
    bucket, key = bucket_and_key(of_uri)
    stack.clients().s3.delete_object(Bucket=bucket, Key=key)
