"""The embedded stack's emulators, one by one, for tests of what speaks to a single service."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.local import environment
from orchestrator.local.children import child
from orchestrator.local.stack import KEYS, REGION
from stepbench.aws import AwsConfig, Clients

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
