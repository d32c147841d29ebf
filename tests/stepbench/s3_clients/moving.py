"""What tests of S3 clients move, and with which clients."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from orchestrator.local.stack import REGION
from stepbench import registry, s3_clients
from stepbench.aws import AwsConfig
from stepbench.s3_clients import Encryption, S3Client, TransferOptions
from tests.interference import Interference

BUCKET = "payloads"
NAMES = registry.choices("stepbench.s3_clients")
PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes."""
FORMS: list[Callable[[bytes], Any]] = [bytes, bytearray, memoryview]
PLAIN = Encryption()
MakeClient = Callable[[], S3Client]


def made(name: str, way: Interference, max_attempts: int = 4, **config_of: Any) -> S3Client:
    config = AwsConfig(region=REGION, endpoint_url=way.endpoint, max_attempts=max_attempts, **config_of)
    return s3_clients.make(name, config, TransferOptions(part_bytes=PART_BYTES, part_concurrency=3))


def there_and_back(client: S3Client, key: str, data: bytes) -> Any:
    """What was got of what was put, or the error that either ended with: which one is the library's affair."""
    try:
        client.put(BUCKET, key, data, PLAIN)
        got, _ = client.get(BUCKET, key, len(data))
    except Exception as error:  # noqa: BLE001 # whatever it raises is told to the test, which asks for a kind of error
        return error
    return got


def content(size_bytes: int) -> bytes:
    """No two parts are alike."""
    return random.Random(size_bytes).randbytes(size_bytes)
