"""Whole runs as users who may do what `policy` prints and nothing else; and what happens without each of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stepbench.refusals import refused_action
from tests.emulator import Account, User, enforcing

START = ("start", "--json", "--quiet", "--steps", "2", "--serializer", "raw", "--max-attempts", "1")
SMALL = ("--payload-mb", "0.01")
IN_PARTS = ("--payload-mb", "6", "--s3-part-mb", "5.243")
BUCKET = "payloads"


@dataclass(frozen=True)
class Place:
    """An account with a bucket and a steps queue, and a user for each role, who may do nothing before `allow`."""

    account: Account
    settings: dict[str, str]
    worker: User
    orchestrator: User

    def run_as(self, user: User, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            env={**os.environ, **user.environment, **self.settings, **settings},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def policy(self, role: str, **settings: str) -> dict[str, Any]:
        printed = self.run_as(self.orchestrator, "policy", "--role", role, **settings)
        assert printed.returncode == 0, printed.stderr
        document: dict[str, Any] = json.loads(printed.stdout)
        return document

    @contextmanager
    def starting(self) -> Iterator[subprocess.Popen[bytes]]:
        """A run that is going on, until the block ends."""
        with subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *START, *SMALL],
            env={**os.environ, **self.orchestrator.environment, **self.settings},
        ) as run:
            try:
                yield run
            finally:
                run.kill()

    @contextmanager
    def working(self, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """A worker as its user, until the block ends."""
        with subprocess.Popen(
            [sys.executable, "-m", "worker", "--while-stdin-open", "--executors", "1"],
            env={**os.environ, **self.worker.environment, **self.settings, **settings},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as worker:
            try:
                yield worker
            finally:
                worker.kill()


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with enforcing() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def place(account: Account) -> Place:
    """Queues and users of this test's own."""
    number = len(account.client("iam").list_users()["Users"])
    url = account.client("sqs").create_queue(QueueName=f"steps-{number}")["QueueUrl"]
    settings = {"ORCH_BUCKET": BUCKET, "ORCH_STEPS_QUEUE_URL": url, "ORCH_PREFIX": f"runs-{number}/${{RUN_ID}}/"}
    return Place(account, settings, account.user(f"worker-{number}"), account.user(f"orchestrator-{number}"))


def allow(place: Place, role: str | None = None, without: str | None = None, **settings: str) -> None:
    """Gives both users their printed policies; that of `role` `without` one action."""
    for each, user in (("worker", place.worker), ("orchestrator", place.orchestrator)):
        document = place.policy(each, **settings)
        if each == role:
            document["Statement"] = list(_without(without, document["Statement"]))
        place.account.allow(user.name, document)


def _without(action: str | None, statements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    found = False
    for statement in statements:
        left = [each for each in statement["Action"] if each != action]
        found = found or left != statement["Action"]
        if left:
            yield {**statement, "Action": left}
    assert found, f"no statement allows {action}: nothing would be tested"


def failures() -> list[dict[str, Any]]:
    """`failure` lines of this test's metrics files."""
    lines = [json.loads(line) for path in Path("out").glob("*.jsonl") for line in path.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "failure"]


@pytest.mark.parametrize("size", [SMALL, IN_PARTS], ids=["in one request", "in parts"])
def test_a_run_needs_no_more_than_the_printed_policies(place: Place, size: tuple[str, ...]) -> None:
    allow(place)
    with place.working(S3_PART_MB="5.243"):
        ended = place.run_as(place.orchestrator, *START, *size)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["samples"] == 2
    assert place.account.client("sqs").list_queues(QueueNamePrefix="stepbench-results-").get("QueueUrls") is None


def test_a_run_that_cleans_up_and_copies_its_metrics_needs_no_more_either(place: Place) -> None:
    results = place.account.client("sqs").create_queue(QueueName=place.worker.name + "-results")["QueueUrl"]
    settings = {"ORCH_RESULTS_QUEUE_URL": results, "CLEANUP": "true", "METRICS_TO_S3": "true"}
    allow(place, **settings)
    with place.working(ORCH_RESULTS_QUEUE_URL=results):
        ended = place.run_as(place.orchestrator, *START, *SMALL, **settings)

    assert ended.returncode == 0, ended.stderr
    prefix = place.settings["ORCH_PREFIX"].partition("$")[0]
    left = place.account.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert [Path(found["Key"]).suffix for found in left] == [".jsonl"]


@pytest.mark.parametrize(
    "action",
    [
        "s3:PutObject",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "s3:ListBucket",
        "s3:DeleteObject",
    ],
)
def test_without_it_the_orchestrator_is_refused_and_says_what_would_allow_it(place: Place, action: str) -> None:
    allow(place, "orchestrator", without=action, CLEANUP="true")
    with place.working():
        # So many completions that some are deleted before the queue is.
        ended = place.run_as(place.orchestrator, *START, *SMALL, "--concurrency", "6", CLEANUP="true")

    assert ended.returncode == 3, ended.stderr
    (sentence,) = [line for line in ended.stderr.splitlines() if "was refused" in line]
    assert sentence.startswith(f"{action} was refused; the policy statement that allows it: ")
    assert action in json.loads(sentence.partition("allows it: ")[2])["Action"]
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject"])
def test_without_it_a_workers_steps_fail_and_say_why(place: Place, action: str) -> None:
    allow(place, "worker", without=action)
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL)

    assert ended.returncode == 1, ended.stderr
    (failure,) = failures()
    assert failure["retryable"] is False
    assert action.partition(":")[2] in failure["message"]


@pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:SendMessage"])
def test_without_it_a_worker_is_refused_and_says_what_would_allow_it(place: Place, action: str) -> None:
    allow(place, "worker", without=action)
    with place.working() as worker, place.starting():
        assert worker.wait(60) == 3
        assert worker.stderr is not None
        said = worker.stderr.read()

    assert f"{action} was refused; the policy statement that allows it: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("worker", "s3:DeleteObject"),
        ("worker", "s3:AbortMultipartUpload"),
        ("orchestrator", "s3:AbortMultipartUpload"),
    ],
)
def test_what_only_a_mishap_needs_is_allowed_below_the_prefix_alone(place: Place, role: str, action: str) -> None:
    s3 = place.account.client_of(place.worker if role == "worker" else place.orchestrator, "s3")
    below = place.settings["ORCH_PREFIX"].partition("$")[0]

    def is_allowed(key: str) -> bool:
        abort = partial(s3.abort_multipart_upload, UploadId="none")
        call = {"s3:DeleteObject": s3.delete_object, "s3:AbortMultipartUpload": abort}[action]
        try:
            call(Bucket=BUCKET, Key=key)
        except s3.exceptions.NoSuchUpload:
            return True
        except s3.exceptions.ClientError as error:
            return refused_action(error) is None
        return True

    allow(place)
    assert is_allowed(f"{below}key")
    assert not is_allowed("elsewhere/key")
    allow(place, role, without=action)
    assert not is_allowed(f"{below}key")


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
