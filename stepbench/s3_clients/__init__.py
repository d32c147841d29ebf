"""S3 clients: libraries that move objects. One file each; the file name is what the user types.

Every file defines `make(config, transfer) -> S3Client`, and `ABILITIES`.
"""

from __future__ import annotations

from typing import Literal, Protocol

from stepbench import registry
from stepbench.aws import AwsConfig
from stepbench.buffers import Data
from stepbench.errors import UsageError
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


class Abilities(Frozen):
    """What a library can be asked for with an object. Null fields of S3Requests are what it cannot tell."""

    tags: bool = True
    encryption: bool = True

    def missing(self, name: str, encryption: Encryption, *, tagged: bool) -> list[str]:
        """A sentence for each thing that is asked of the library called `name` in vain."""
        other = "or take another --s3-client (S3_CLIENT)"
        found = []
        if tagged and not self.tags:
            tag = "--payload-tag (PAYLOAD_TAG) is true"
            found.append(f"{tag}, and {name} cannot tag objects: set it to false, {other}")
        if encryption.sse != "none" and not self.encryption:
            sse = f"--sse (SSE) is {encryption.sse}"
            found.append(
                f"{sse}, and {name} cannot ask for encryption: set it to none and leave that to the bucket, {other}"
            )
        return found

    def insist(self, name: str, encryption: Encryption, *, tagged: bool) -> None:
        """Raises UsageError for what the library cannot do."""
        if problems := self.missing(name, encryption, tagged=tagged):
            raise UsageError(problems)


class S3Client(Protocol):
    """Moves whole objects between memory and S3, and tells what that took."""

    name: str
    """The library that really runs."""

    def connect(self, bucket: str, key: str) -> None:
        """Open a first connection, so that no step's figure has it. `key` need not exist. Raises nothing."""
        ...

    def get(self, bucket: str, key: str, size_bytes: int) -> tuple[Data, S3Requests]:
        """The object, which must have exactly `size_bytes`.

        Raises SizeMismatch without reading more than that (or a part), the SDK's own error, or S3Answer or
        S3Unreachable in place of another library's.
        """
        ...

    def put(self, bucket: str, key: str, data: Data, encryption: Encryption, *, tagged: bool = False) -> S3Requests:
        """Write `data` as one object; `tagged`: with PAYLOAD_TAG, in the same request.

        Raises UsageError for what is not among the library's abilities, before anything is sent; else as `get`.
        """
        ...


def abilities(name: str) -> Abilities:
    """Of the library called `name`. Raises UsageError if there is none or if it is not installed."""
    found: Abilities = registry.load(__name__, name).ABILITIES
    return found


def make(name: str, config: AwsConfig, transfer: TransferOptions) -> S3Client:
    """A client of the library called `name`. Raises UsageError if there is none or if it is not installed."""
    client: S3Client = registry.load(__name__, name).make(config, transfer)
    return client
