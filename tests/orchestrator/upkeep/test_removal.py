from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.upkeep.remains import Remains, ResultsQueue, Upload
from orchestrator.upkeep.removal import Remover
from tests.doubles import queue_gone, refused

RUN = "20310203-040506-0a1b2c"
FOLDER = f"runs/{RUN}/"


class Aws:
    """S3 and SQS clients over `keys`, each of 7 bytes, that tell what was deleted and refuse what they are told to."""

    def __init__(self, keys: list[str], **answers: Any) -> None:
        self.keys = keys
        self.deleted: list[list[str]] = []
        self.told: list[str] = []
        self._answers = answers
        self.s3 = self.sqs = SimpleNamespace(
            get_paginator=lambda name: SimpleNamespace(paginate=self._pages),
            delete_objects=self._delete,
            abort_multipart_upload=lambda **asked: self._answer("abort", asked["UploadId"]),
            delete_queue=lambda **asked: self._answer("queue", asked["QueueUrl"]),
        )

    def _pages(self, Prefix: str, PaginationConfig: dict[str, int], **_: Any) -> Any:  # noqa: N803 # the SDK's names
        size = PaginationConfig["PageSize"]
        found = [{"Key": key, "Size": 7} for key in self.keys if key.startswith(Prefix)]
        return [{"Contents": found[start : start + size]} for start in range(0, len(found), size)] or [{}]

    def _delete(self, Delete: Any, **_: Any) -> Any:  # noqa: N803 # the SDK's names
        self.deleted.append([entry["Key"] for entry in Delete["Objects"]])
        return {"Errors": self._answers.get("errors", [])}

    def _answer(self, call: str, about: str) -> None:
        self.told.append(f"{call} {about}")
        if call in self._answers:
            raise self._answers[call]


def remover(aws: Any, *kinds: Any) -> Remover:
    return Remover(aws, "bucket", "runs/{run_id}", kinds or ("payload",))


def remains(**changes: Any) -> Remains:
    return Remains(RUN, datetime(2031, 2, 3, tzinfo=UTC), **changes)


def test_objects_are_deleted_a_thousand_at_a_time() -> None:
    aws = Aws([f"{FOLDER}payloads/{number:05}" for number in range(2_345)])

    removed = remover(aws).remove(remains())

    assert [len(batch) for batch in aws.deleted] == [1_000, 1_000, 345]
    assert (removed.objects, removed.bytes, removed.refused) == (2_345, 7 * 2_345, [])


def test_only_what_has_the_look_of_this_runs_is_deleted() -> None:
    others = [f"{FOLDER}payloads", f"{FOLDER}x", f"{FOLDER}metrics/metrics-{RUN}.jsonl", f"runs/{RUN}0/payloads/x"]
    aws = Aws([*others, f"{FOLDER}payloads/x"])

    assert remover(aws).remove(remains()).objects == 1
    assert aws.deleted == [[f"{FOLDER}payloads/x"]]


def test_metrics_copies_are_deleted_where_that_is_asked_for() -> None:
    aws = Aws([f"{FOLDER}metrics/metrics-{RUN}.jsonl", f"{FOLDER}payloads/x"])

    assert remover(aws, "payload", "metrics").remove(remains()).objects == 2


def test_nothing_is_asked_for_where_nothing_is_left() -> None:
    aws = Aws([])

    remover(aws).remove(remains())

    assert aws.deleted == []


def test_objects_that_were_not_deleted_are_not_counted_and_told() -> None:
    errors = [{"Key": f"{FOLDER}payloads/a", "Code": "AccessDenied", "Message": "no"}]
    aws = Aws([f"{FOLDER}payloads/a", f"{FOLDER}payloads/b"], errors=errors)

    removed = remover(aws).remove(remains())

    assert (removed.objects, removed.bytes) == (1, 7)
    (error,) = removed.refused
    assert error.response["Error"]["Code"] == "AccessDenied"
    assert error.operation_name == "DeleteObjects"


def test_uploads_are_broken_off_and_the_queue_is_deleted() -> None:
    aws = Aws([])
    left = remains(uploads=[Upload("k", "u1"), Upload("k", "u2")], queue=ResultsQueue("url", 0))

    removed = remover(aws).remove(left)

    assert aws.told == ["abort u1", "abort u2", "queue url"]
    assert (removed.uploads, removed.queues) == (2, 1)


def test_what_somebody_else_has_removed_meanwhile_is_no_error_and_not_counted() -> None:
    aws = Aws([], abort=refused("NoSuchUpload"), queue=queue_gone())

    removed = remover(aws).remove(remains(uploads=[Upload("k", "u")], queue=ResultsQueue("url", 0)))

    assert (removed.uploads, removed.queues) == (0, 0)


@pytest.mark.parametrize("call", ["abort", "queue"])
def test_any_other_answer_is_an_error(call: str) -> None:
    aws = Aws([], **{call: refused("AccessDenied")})

    with pytest.raises(ClientError, match="AccessDenied"):
        remover(aws).remove(remains(uploads=[Upload("k", "u")], queue=ResultsQueue("url", 0)))
