"""Whole runs as users who may do what `policy` prints and nothing else.

Of keys this proves less than of buckets and queues: moto asks nobody for leave to use one. The emulator here asks for
what AWS documents that S3 needs of KMS (`_uses_of_keys` in tests/emulator.py), of the user who calls S3. Proven is so
that the key's name comes with every upload, that the statement covers that key, and that a refusal in KMS's words is
told; not that AWS asks for exactly that, and nothing about a key's own policy.
"""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from stepbench.refusals import refused_action
from tests.policies.place import BUCKET, IN_PARTS, SMALL, START, WITH_KEY, Place, allow
from tests.policies.taken_away import TO_ABORT, TO_DELETE_ORPHANS, Allowed

pytestmark = pytest.mark.infra


@pytest.mark.parametrize("key", [{}, WITH_KEY], ids=["without a key", "with a key"])
@pytest.mark.parametrize("size", [SMALL, IN_PARTS], ids=["in one request", "in parts"])
def test_a_run_needs_no_more_than_the_printed_policies(
    place: Place, size: tuple[str, ...], key: dict[str, str]
) -> None:
    allow(place, **key)
    with place.working(S3_PART_MB="5.243"):
        ended = place.run_as(place.orchestrator, *START, *size, **key)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["samples"] == 2
    assert place.results_queues() == []


def test_a_run_that_cleans_up_copies_its_metrics_and_shares_its_queue_needs_no_more_either(place: Place) -> None:
    results = place.shared_results_queue()
    settings = {"ORCH_RESULTS_QUEUE_URL": results, "CLEANUP": "true", "METRICS_SYNC_SECONDS": "1"}
    allow(place, **settings)
    with place.working(ORCH_RESULTS_QUEUE_URL=results):
        ended = place.run_as(place.orchestrator, *START, *SMALL, **settings)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["foreign"] > 0
    left = place.account.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=place.below)["Contents"]
    assert [Path(found["Key"]).suffix for found in left] == [".jsonl"]


def test_a_run_is_gone_on_with_from_its_copy_with_no_more_either(place: Place) -> None:
    copied = {"METRICS_SYNC_SECONDS": "3600"}
    allow(place, **copied)
    # A step that was announced and not sent when the interrupt came is lost: that is waited for.
    with place.starting("--metrics-sync-seconds", "3600", "--stall-timeout", "2", "--max-attempts", "9") as run:
        run.until("a dispatch", lambda so_far: so_far.events("dispatching"))
        run.send(signal.SIGINT)
        run_id = run.outcome().plan["run_id"]
    with place.working():
        ended = place.run_as(place.orchestrator, "resume", run_id, "--json", **copied)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["samples"] == 2


@pytest.mark.parametrize(
    ("role", "without"),
    [("worker", TO_DELETE_ORPHANS), ("worker", TO_ABORT), ("orchestrator", TO_ABORT)],
    ids=["worker deletes", "worker aborts", "orchestrator aborts"],
)
def test_what_only_a_mishap_needs_is_allowed_below_the_prefix_alone(place: Place, role: str, without: Allowed) -> None:
    s3 = place.account.client_of(place.worker if role == "worker" else place.orchestrator, "s3")

    def is_allowed(key: str) -> bool:
        abort = partial(s3.abort_multipart_upload, UploadId="none")
        call = {"s3:DeleteObject": s3.delete_object, "s3:AbortMultipartUpload": abort}[without[1]]
        try:
            call(Bucket=BUCKET, Key=key)
        except s3.exceptions.NoSuchUpload:
            return True
        except s3.exceptions.ClientError as error:
            return refused_action(error) is None
        return True

    allow(place)
    assert is_allowed(f"{place.below}key")
    assert not is_allowed("elsewhere/key")
    allow(place, role, without)
    assert not is_allowed(f"{place.below}key")


def test_a_batch_call_is_allowed_by_the_action_of_the_single_one(place: Place) -> None:
    allow(place)
    url = place.settings["ORCH_STEPS_QUEUE_URL"]
    orchestrator, worker = (place.account.client_of(user, "sqs") for user in (place.orchestrator, place.worker))

    orchestrator.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "step"}])
    (message,) = worker.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    held = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    worker.change_message_visibility_batch(QueueUrl=url, Entries=[{**held, "VisibilityTimeout": 60}])
    worker.delete_message_batch(QueueUrl=url, Entries=[held])
    with pytest.raises(worker.exceptions.ClientError, match="not authorized to perform: sqs:sendmessage"):
        worker.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "step"}])
