"""Removes what a run has left. Nothing is removed by a prefix alone: every key is looked at first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.upkeep.batches import MAX_DELETED_AT_ONCE, delete_batch
from orchestrator.upkeep.remains import Remains
from orchestrator.upkeep.shapes import KeyShape, Kind
from stepbench.failures import error_code, is_queue_gone

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

    from stepbench.aws import Clients


@dataclass(slots=True)
class Removed:
    """What is gone, of one run or of several."""

    objects: int = 0
    bytes: int = 0
    uploads: int = 0
    queues: int = 0
    refused: list[ClientError] = field(default_factory=list)
    """AWS's answers for what is still there."""

    def add(self, other: Removed) -> None:
        self.objects += other.objects
        self.bytes += other.bytes
        self.uploads += other.uploads
        self.queues += other.queues
        self.refused += other.refused


class Remover:
    """For one bucket and one template of ORCH_PREFIX."""

    def __init__(self, clients: Clients, bucket: str, template: str, kinds: Collection[Kind]) -> None:
        """`kinds` of objects are deleted."""
        self._clients = clients
        self._bucket = bucket
        self._shape = KeyShape(template)
        self._kinds = kinds

    def remove(self, remains: Remains) -> Removed:
        """All of it. Raises the SDK's error for a call that fails; what single objects are refused is told."""
        removed = Removed()
        for upload in remains.uploads:
            removed.uploads += self._did(
                partial(
                    self._clients.s3.abort_multipart_upload,
                    Bucket=self._bucket,
                    Key=upload.key,
                    UploadId=upload.upload_id,
                ),
                lambda error: error_code(error) == "NoSuchUpload",
            )
        for batch in self._batches(remains.run_id):
            self._delete(batch, removed)
        if remains.queue is not None:
            delete_queue = partial(self._clients.sqs.delete_queue, QueueUrl=remains.queue.url)
            removed.queues += self._did(delete_queue, is_queue_gone)
        return removed

    @staticmethod
    def _did(call: Callable[[], object], was_done: Callable[[ClientError], bool]) -> bool:
        """False where it was done already."""
        try:
            call()
        except ClientError as error:
            if not was_done(error):
                raise
            return False
        return True

    def _batches(self, run_id: str) -> Iterator[list[ObjectTypeDef]]:
        """Listed again: what came after the search is the run's too, and nothing need be remembered until now."""
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._shape.folder(run_id),
            PaginationConfig={"PageSize": MAX_DELETED_AT_ONCE},
        )
        for page in pages:
            batch = [entry for entry in page.get("Contents", ()) if self._is_to_go(entry["Key"], run_id)]
            if batch:
                yield batch

    def _is_to_go(self, key: str, run_id: str) -> bool:
        owned = self._shape.owner(key)
        return owned is not None and owned.run_id == run_id and owned.kind in self._kinds

    def _delete(self, batch: list[ObjectTypeDef], removed: Removed) -> None:
        refused = delete_batch(self._clients.s3, self._bucket, [entry["Key"] for entry in batch])
        gone = [entry["Size"] for entry in batch if entry["Key"] not in refused]
        removed.objects += len(gone)
        removed.bytes += sum(gone)
        removed.refused += refused.values()
