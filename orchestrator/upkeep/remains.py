"""What runs have left in the bucket and among the queues: looked for, counted, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.run.plan import METRICS_FOLDER, lease_name
from orchestrator.upkeep.shapes import KeyShape, begun, run_of_queue
from stepbench.failures import is_queue_gone
from stepbench.queue_urls import results_folder
from stepbench.queues.sqs import SqsQueue

if TYPE_CHECKING:
    from datetime import datetime

    from stepbench.aws import Clients
    from stepbench.settings import Settings

QUEUES_PER_PAGE = 1_000
"""Without a size of the page SQS gives one page, and does not say that there are more: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that was never completed."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class ResultsQueue:
    """A run's own."""

    url: str
    messages: int
    """About how many, those in flight included."""


@dataclass(slots=True)
class Remains:
    """What one run has left."""

    run_id: str
    last_sign: datetime
    """When the newest of its things was made; that of its id, the run's begin, included."""
    payloads: int = 0
    payload_bytes: int = 0
    metrics: int = 0
    metrics_bytes: int = 0
    lease_written: datetime | None = None
    """The store's clock; null without a lease: see `orchestrator.s3_copy`."""
    uploads: list[Upload] = field(default_factory=list)
    queue: ResultsQueue | None = None

    def seen(self, at: datetime) -> None:
        self.last_sign = max(self.last_sign, at)


@dataclass(frozen=True)
class Found:
    """All that is there."""

    runs: tuple[Remains, ...]
    """By run id: the oldest first."""
    strangers: int
    """Objects and uploads below the literal part of ORCH_PREFIX that have not the look of a run's."""


class Search:
    """Looks for what every run has left, or only one run. Raises the SDK's errors."""

    def __init__(self, settings: Settings, clients: Clients, run_id: str | None) -> None:
        assert settings.bucket is not None
        self._settings = settings
        self._bucket = settings.bucket
        self._queue_folder = results_folder(settings)
        """Null where runs have no queues."""
        self._clients = clients
        self._run_id = run_id
        self._shape = KeyShape(settings.prefix)
        self._below = self._shape.folder(run_id) if run_id else self._shape.literal
        self._runs: dict[str, Remains] = {}
        self._strangers = 0

    def found(self) -> Found:
        self._find_objects()
        self._find_uploads()
        if self._queue_folder is not None and self._settings.results_queue_url is None:
            for run_id, name in self._queue_names(self._queue_folder):
                self._find_queue(run_id, f"{self._queue_folder}/{name}")
        return Found(tuple(self._runs[run_id] for run_id in sorted(self._runs)), self._strangers)

    def _of(self, run_id: str) -> Remains:
        return self._runs.setdefault(run_id, Remains(run_id, begun(run_id)))

    def _find_objects(self) -> None:
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._below)
        for entry in (entry for page in pages for entry in page.get("Contents", ())):
            owned = self._shape.owner(entry["Key"])
            if owned is None:
                self._strangers += 1
                continue
            remains = self._of(owned.run_id)
            remains.seen(entry["LastModified"])
            if entry["Key"].endswith("/" + METRICS_FOLDER + lease_name(owned.run_id)):
                remains.lease_written = entry["LastModified"]
            if owned.kind == "payload":
                remains.payloads += 1
                remains.payload_bytes += entry["Size"]
            else:
                remains.metrics += 1
                remains.metrics_bytes += entry["Size"]

    def _find_uploads(self) -> None:
        pages = self._clients.s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=self._below
        )
        for entry in (entry for page in pages for entry in page.get("Uploads", ())):
            owned = self._shape.owner(entry["Key"])
            if owned is None:
                self._strangers += 1
                continue
            remains = self._of(owned.run_id)
            remains.seen(entry["Initiated"])
            remains.uploads.append(Upload(entry["Key"], entry["UploadId"]))

    def _queue_names(self, beside: str) -> Iterator[tuple[str, str]]:
        """Run ids, and the names of their queues, in the account of that folder."""
        named = self._settings.results_queue_prefix
        pages = self._clients.sqs.get_paginator("list_queues").paginate(
            QueueNamePrefix=named + (self._run_id or ""), PaginationConfig={"PageSize": QUEUES_PER_PAGE}
        )
        for url in (url for page in pages for url in page.get("QueueUrls", ())):
            folder, _, name = url.rpartition("/")
            same_account = folder.rpartition("/")[2] == beside.rpartition("/")[2]
            run_id = run_of_queue(name, named)
            if run_id and same_account and f"{beside}/{name}" != self._settings.steps_queue_url:
                yield run_id, name

    def _find_queue(self, run_id: str, url: str) -> None:
        from datetime import UTC, datetime

        try:
            attributes = self._clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
            depth = SqsQueue(self._clients.sqs, url, visibility_seconds=0).depth()
        except self._clients.sqs.exceptions.ClientError as error:
            if not is_queue_gone(error):
                raise
            return
        remains = self._of(run_id)
        remains.seen(datetime.fromtimestamp(float(attributes["Attributes"]["CreatedTimestamp"]), UTC))
        remains.queue = ResultsQueue(url, depth.visible + depth.in_flight + depth.delayed)
