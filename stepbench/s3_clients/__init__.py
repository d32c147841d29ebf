"""S3 clients: libraries that move objects. One file each; the file name is what the user types.

Every file defines `make(config, transfer) -> S3Client`.
"""

from __future__ import annotations

from typing import Literal, Protocol

from stepbench import registry
from stepbench.aws import AwsConfig
from stepbench.buffers import Data
from stepbench.samples import Frozen, S3Requests
from stepbench.settings import Settings

PAYLOAD_TAG = ("stepbench", "payload")
"""Name and value of the object tag of payloads: a lifecycle rule cannot tell them from metrics files by their keys."""


class TransferOptions(Frozen):
    """How objects larger than a part are moved."""

    part_bytes: int
    part_concurrency: int

    @classmethod
    def of(cls, settings: Settings) -> TransferOptions:
        return cls(part_bytes=int(settings.s3_part_mb * 1e6), part_concurrency=settings.s3_part_concurrency)


class Encryption(Frozen):
    """Server-side encryption to ask for."""

    sse: Literal["none", "s3", "kms"] = "none"
    kms_key_id: str | None = None


class S3Client(Protocol):
    """Moves whole objects between memory and S3, and tells what that took."""

    name: str
    """The library that really runs."""

    def connect(self, bucket: str, key: str) -> None:
        """Open a first connection, so that no step's figure has it. `key` need not exist. Raises nothing."""
        ...

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        """The object, which must have exactly `size_bytes`.

        Raises SizeMismatch without reading more than that, or the library's own error.
        """
        ...

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        """Write `data` as one object; `tagged`: with PAYLOAD_TAG, in the same request.

        Raises the library's own error.
        """
        ...


def make(name: str, config: AwsConfig, transfer: TransferOptions) -> S3Client:
    """A client of the library called `name`. Raises UsageError if there is none or if it is not installed."""
    client: S3Client = registry.load(__name__, name).make(config, transfer)
    return client
