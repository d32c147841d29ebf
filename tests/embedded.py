"""The embedded stack's emulators, one by one, for tests of what speaks to a single service."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestrator.local import environment
from orchestrator.local.children import child
from orchestrator.local.stack import KEYS, REGION
from stepbench.aws import AwsConfig, Clients
from stepbench.queues.sqs import SqsQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

READY_WITHIN_SECONDS = 60.0


@contextmanager
def emulated(service: str) -> Iterator[str]:
    """The endpoint of an emulated service (`s3` or `sqs`), for the length of the block."""
    command = [sys.executable, "-P", "-m", "orchestrator.local.emulator", service]
    with child(f"the emulator of {service}", command, environment.cleaned(os.environ), captured=True) as emulator:
        yield f"http://{environment.HOST}:{emulator.ready_line(READY_WITHIN_SECONDS)}"


def clients_at(endpoint: str) -> Clients:
    """Clients that speak to an emulator; they retry nothing."""
    return Clients(AwsConfig(region=REGION, endpoint_url=endpoint, max_attempts=1), keys=KEYS)


def new_queue(client: SQSClient, visibility_seconds: int) -> SqsQueue:
    """A queue that no other test has."""
    return SqsQueue(client, client.create_queue(QueueName=f"q-{uuid.uuid4().hex}")["QueueUrl"], visibility_seconds)
