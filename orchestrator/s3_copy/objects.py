"""The objects of one run's copy, as S3 has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.run.plan import Plan
from orchestrator.s3_copy.parts import Names, Part, copied_bytes, lay, lineage
from orchestrator.upkeep.batches import delete
from stepbench.failures import error_code
from stepbench.s3_clients import Encryption
from stepbench.s3_clients.boto3 import encryption_arguments
from stepbench.s3_uris import uri

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

GONE_CODES = frozenset({"NoSuchKey", "404"})
EPOCH = "stepbench-epoch"
"""Metadata of the whole file's copy."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a copy is made of."""

    whole_bytes: int | None
    """Size of the whole file's copy, which an ended run has."""
    parts: tuple[Part, ...]
    """Those that count, in the order in which they are laid."""
    whole_epoch: int = 0
    """Parts up to this one are in the whole file's copy; 0 where it does not tell."""

    @property
    def empty(self) -> bool:
        return self.whole_bytes is None and not self.parts

    @property
    def epoch(self) -> int:
        """The newest that is known here; 0 where none is."""
        return max(self.whole_epoch, self.parts[-1].epoch if self.parts else 0)

    @property
    def copied_bytes(self) -> int | None:
        """How long the copy is; null for a damaged one."""
        return copied_bytes(self.parts, self.whole_bytes)


class Objects:
    """Of one run, in one bucket. Every method raises the SDK's errors."""

    def __init__(self, client: S3Client, bucket: str, names: Names, encryption: Encryption | None = None) -> None:
        self.client = client
        self.bucket = bucket
        self.names = names
        self.encryption = encryption_arguments(encryption or Encryption())

    @classmethod
    def of(cls, client: S3Client, plan: Plan) -> Objects:
        encryption = Encryption(sse=plan.sse, kms_key_id=plan.kms_key_id)
        return cls(client, plan.bucket, Names.of(plan), encryption)

    @property
    def place(self) -> str:
        """For a person."""
        return uri(self.bucket, self.names.folder)

    def listing(self) -> Listing:
        whole_bytes, parts = None, []
        for key, size_bytes in self._listed(self.names.folder):
            if key == self.names.whole:
                whole_bytes = size_bytes
            elif (part := self.names.part_at(key, size_bytes)) is not None:
                parts.append(part)
        whole_epoch = 0 if whole_bytes is None else self._whole_epoch()
        return Listing(whole_bytes, lineage(parts, whole_epoch), whole_epoch)

    def has(self, key: str) -> bool:
        """By a listing: who may not list a whole bucket is told that a missing object is forbidden."""
        return any(found == key for found, _ in self._listed(key))

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def part(self, part: Part) -> bytes:
        return self.read(self.names.part(part.epoch, part.parent, part.offset))

    def put_part(self, epoch: int, parent: int, offset: int, data: bytes) -> None:
        key = self.names.part(epoch, parent, offset)
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **self.encryption)

    def put_whole(self, path: Path, epoch: int) -> None:
        """`epoch`: parts up to this one are in it."""
        more = {**self.encryption, "Metadata": {EPOCH: str(epoch)}}
        self.client.upload_file(str(path), self.bucket, self.names.whole, ExtraArgs=more)

    def compose(self, listing: Listing, into: IO[bytes]) -> None:
        """Writes the copy into an empty file. Raises CopyDamaged too."""
        if listing.whole_bytes is not None:
            self.client.download_fileobj(self.bucket, self.names.whole, into)
        for part in listing.parts:
            lay(into, part.offset, self.part(part), f"the copy in {self.place}")
        into.flush()

    def remove_parts(self, up_to_epoch: int) -> None:
        """The oldest first: what is left when this breaks off still fits the whole file's copy."""
        names, own = self.names, []
        for key, size_bytes in self._listed(names.parts):
            part = names.part_at(key, size_bytes)
            if part is not None and part.epoch <= up_to_epoch:
                own.append(key)
        delete(self.client, self.bucket, own)

    def _whole_epoch(self) -> int:
        """0 where it does not tell, or is gone since."""
        try:
            told = self.client.head_object(Bucket=self.bucket, Key=self.names.whole)["Metadata"].get(EPOCH, "")
        except ClientError as error:
            if error_code(error) not in GONE_CODES:
                raise
            return 0
        return int(told) if told.isdecimal() else 0

    def _listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return ((entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", ()))
