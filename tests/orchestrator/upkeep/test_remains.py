from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.upkeep.remains import QUEUES_PER_PAGE, Found, Search, Upload
from stepbench.settings import Settings
from tests.doubles import queue_gone, refused
from tests.factories import QUEUES, STEPS_QUEUE

RUN = "20310203-040506-0a1b2c"
BEGUN = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
LATER = datetime(2031, 2, 4, tzinfo=UTC)
FOLDER = f"runs/{RUN}/"


class Aws:
    """S3 and SQS clients over what is there, which tell what they were asked to list."""

    def __init__(self, **pages: list[Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._pages = pages
        self.attributes: dict[str, Any] | Exception = {
            "CreatedTimestamp": str(LATER.timestamp()),
            "ApproximateNumberOfMessages": "1",
            "ApproximateNumberOfMessagesNotVisible": "2",
            "ApproximateNumberOfMessagesDelayed": "4",
        }
        self.s3 = self.sqs = SimpleNamespace(
            exceptions=SimpleNamespace(ClientError=ClientError),
            get_paginator=lambda name: SimpleNamespace(paginate=lambda **asked: self._listed(name, asked)),
            get_queue_attributes=lambda **asked: self._answer(),
        )

    def _listed(self, name: str, asked: dict[str, Any]) -> list[Any]:
        self.asked.append(asked)
        return self._pages.get(name, [{}])

    def _answer(self) -> Any:
        if isinstance(self.attributes, Exception):
            raise self.attributes
        return {"Attributes": self.attributes}


def search(aws: Any, run_id: str | None = None, **settings: Any) -> Found:
    chosen = {"ORCH_PREFIX": "runs/{run_id}", "ORCH_RESULTS_QUEUE_PREFIX": "results-", **settings}
    return Search(Settings(ORCH_BUCKET="bucket", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, **chosen), aws, run_id).found()


def entry(key: str, at: datetime = BEGUN) -> dict[str, Any]:
    return {"Key": key, "Size": 7, "LastModified": at}


def test_when_the_lease_was_written_is_told_of_a_run_that_has_one() -> None:
    other = RUN.replace("0a", "00")
    objects = [
        entry(f"{FOLDER}metrics/lease-{RUN}.json", LATER),
        entry(f"{FOLDER}payloads/lease-{RUN}.json"),
        entry(f"runs/{other}/metrics/parts/{other}/1-0-0.jsonl", LATER),
    ]
    without, found = search(Aws(list_objects_v2=[{"Contents": objects}])).runs
    assert (without.lease_written, found.lease_written) == (None, LATER)


def test_things_are_counted_run_by_run_page_after_page() -> None:
    other = RUN.replace("0a", "00")
    objects = [
        {"Contents": [entry(f"{FOLDER}payloads/a"), entry(f"{FOLDER}metrics/m")]},
        {"Contents": [entry(f"{FOLDER}payloads/b", LATER), entry(f"runs/{other}/payloads/a"), entry("runs/stranger")]},
    ]
    uploads = [{"Uploads": [{"Key": f"{FOLDER}payloads/c", "UploadId": "u", "Initiated": BEGUN}]}]

    found = search(Aws(list_objects_v2=objects, list_multipart_uploads=uploads))

    assert [remains.run_id for remains in found.runs] == [other, RUN]
    left = found.runs[1]
    assert (left.payloads, left.payload_bytes, left.metrics, left.metrics_bytes) == (2, 14, 1, 7)
    assert left.uploads == [Upload(f"{FOLDER}payloads/c", "u")]
    assert left.last_sign == LATER
    assert found.strangers == 1


def test_a_runs_own_queue_is_found_and_counts_all_its_messages() -> None:
    aws = Aws(list_queues=[{}, {"QueueUrls": [f"{QUEUES}/results-{RUN}", f"{QUEUES}/results-others"]}])

    (left,) = search(aws).runs

    assert left.queue is not None
    assert (left.queue.url, left.queue.messages) == (f"{QUEUES}/results-{RUN}", 7)
    assert left.last_sign == LATER
    assert aws.asked[-1] == {"QueueNamePrefix": "results-", "PaginationConfig": {"PageSize": QUEUES_PER_PAGE}}


def test_for_one_run_nothing_else_is_listed() -> None:
    aws = Aws()

    search(aws, RUN)

    assert [asked.get("Prefix") for asked in aws.asked] == [FOLDER, FOLDER, None]
    assert aws.asked[-1]["QueueNamePrefix"] == f"results-{RUN}"


def test_a_queue_of_another_account_is_not_ours() -> None:
    elsewhere = f"{QUEUES.replace('123456789012', '999999999999')}/results-{RUN}"

    assert search(Aws(list_queues=[{"QueueUrls": [elsewhere]}])).runs == ()


def test_a_queue_that_has_gone_meanwhile_is_not_there() -> None:
    aws = Aws(list_queues=[{"QueueUrls": [f"{QUEUES}/results-{RUN}"]}])
    aws.attributes = queue_gone()

    assert search(aws).runs == ()


def test_a_queue_that_may_not_be_looked_at_is_an_error() -> None:
    aws = Aws(list_queues=[{"QueueUrls": [f"{QUEUES}/results-{RUN}"]}])
    aws.attributes = refused("AccessDenied")

    with pytest.raises(ClientError):
        search(aws)


def test_with_a_fixed_results_queue_no_queue_is_listed() -> None:
    aws = Aws()

    search(aws, ORCH_RESULTS_QUEUE_URL=f"{QUEUES}/results-{RUN}")

    assert [asked.get("QueueNamePrefix") for asked in aws.asked] == [None, None]
