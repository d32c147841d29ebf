"""Where runs are made as users who may do what `policy` prints, or all of it but one action."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator import cli
from tests.emulator import ACCOUNT, REGION, Account, User
from tests.factories import make_done
from tests.policies.taken_away import Allowed
from tests.runs.programs import RunProgram, WorkerProgram

START = ("start", "--json", "--quiet", "--steps", "2", "--serializer", "raw", "--max-attempts", "1")
SMALL = ("--payload-mb", "0.01")
IN_PARTS = ("--payload-mb", "6", "--s3-part-mb", "5.243")
BUCKET = "payloads"
CLUSTER = "stack"
WITH_KEY = {"SSE": "kms", "KMS_KEY_ID": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}


@dataclass(frozen=True)
class Place:
    """An account with a bucket and a steps queue, and a user for each role, who may do nothing before `allow`."""

    account: Account
    settings: dict[str, str]
    worker: User
    orchestrator: User
    folder: Path
    dead_letters_url: str

    def run_as(self, user: User, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            env=self._environment(user, settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def policy(self, role: str, **settings: str) -> dict[str, Any]:
        return printed_policy(role, self.dead_letters_url, {**self.settings, **settings})

    @contextmanager
    def starting(self, *arguments: str, **settings: str) -> Iterator[RunProgram]:
        """A run that is going on, until the block ends."""
        environment = self._environment(self.orchestrator, settings)
        run = RunProgram(["orchestrator", *START, *SMALL, *arguments], self.folder / "run", environment)
        try:
            yield run
        finally:
            run.kill()

    @contextmanager
    def working(self, **settings: str) -> Iterator[WorkerProgram]:
        """A worker as its user, until the block ends."""
        environment = self._environment(self.worker, settings)
        worker = WorkerProgram(["worker", "--executors", "1"], self.folder / "worker", environment)
        try:
            yield worker
        finally:
            worker.kill()

    def _environment(self, user: User, settings: dict[str, str]) -> dict[str, str]:
        return {**os.environ, **user.environment, **self.settings, **settings}

    def new_fleet(self) -> dict[str, str]:
        """Settings that name a fleet of ECS's for the steps queue; it sleeps."""
        self.account.new_service(CLUSTER, self.worker.name, 0)
        url = self.settings["ORCH_STEPS_QUEUE_URL"]
        fleet = {"steps_queue_url": url, "cluster": CLUSTER, "service": self.worker.name, "max": 2}
        return {"ORCH_FLEETS": json.dumps({"small": fleet}), "ORCH_FLEET": "small"}

    @property
    def below(self) -> str:
        """What the keys of this place's objects begin with."""
        return self.settings["ORCH_PREFIX"].partition("$")[0]

    def outputs(self) -> list[str]:
        """URIs of what steps have written."""
        listed = self.account.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=self.below)
        return [f"s3://{BUCKET}/{found['Key']}" for found in listed.get("Contents", ()) if "-step" in found["Key"]]

    def results_queues(self) -> list[str]:
        """Those that runs have made for themselves and not deleted."""
        listed = self.account.client("sqs").list_queues(QueueNamePrefix=self.settings["ORCH_RESULTS_QUEUE_PREFIX"])
        found: list[str] = listed.get("QueueUrls", [])
        return found

    def shared_results_queue(self) -> str:
        return shared_results_queue(self.account, f"{self.worker.name}-results")


def printed_policy(role: str, dead_letters_url: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """What the command prints for them; in this process, because starting another takes longer than all else of it."""
    name, stdout, stderr = dead_letters_url.rpartition("/")[2], io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        for variable, value in settings.items():
            patch.setenv(variable, value)
        code = cli.main(["policy", "--role", role, "--dead-letter-queue", name])
    assert code == 0, stderr.getvalue()
    document: dict[str, Any] = json.loads(stdout.getvalue())
    return document


def new_queues(account: Account, number: int) -> tuple[dict[str, str], str]:
    """Settings with a steps queue and a prefix that no other test has, and the URL of the queue for dead letters."""
    sqs = account.client("sqs")
    dead_letters_url = sqs.create_queue(QueueName=f"dead-{number}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    url = sqs.create_queue(QueueName=f"steps-{number}", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    settings = {
        "ORCH_BUCKET": BUCKET,
        "ORCH_STEPS_QUEUE_URL": url,
        "ORCH_RESULTS_QUEUE_PREFIX": f"results-{number}-",
        "ORCH_PREFIX": f"runs-{number}/${{RUN_ID}}/",
    }
    return settings, dead_letters_url


def shared_results_queue(account: Account, name: str) -> str:
    """A fixed results queue in which a completion of another run waits."""
    sqs = account.client("sqs")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=make_done(run="another").model_dump_json())
    return url


def allow(place: Place, role: str | None = None, without: Allowed | None = None, /, **settings: str) -> None:
    """Gives both users their printed policies; that of `role` `without` one action of one statement."""
    for each, user in (("worker", place.worker), ("orchestrator", place.orchestrator)):
        document = place.policy(each, **settings)
        if each == role and without:
            document = without_action(without, document)
        place.account.allow(user.name, document)


def without_action(taken: Allowed, document: dict[str, Any]) -> dict[str, Any]:
    """The same policy, but for one action of one statement, which must be there."""
    left = [
        {**statement, "Action": [each for each in statement["Action"] if (statement["Sid"], each) != taken]}
        for statement in document["Statement"]
    ]
    assert left != document["Statement"], f"no statement is {taken}: nothing would be tested"
    return {**document, "Statement": [statement for statement in left if statement["Action"]]}


def sentence_in(stderr: str, action: str) -> dict[str, Any]:
    """The statement of the one sentence that says what was refused, which must be `action`."""
    assert "Traceback" not in stderr
    (sentence,) = [line for line in stderr.splitlines() if "was refused; " in line]
    assert sentence.startswith(f"{action} was refused; the policy statement that allows it: ")
    statement: dict[str, Any] = json.loads(sentence.partition("allows it: ")[2])
    return statement


def failures() -> list[dict[str, Any]]:
    """`failure` lines of this test's metrics files."""
    lines = [json.loads(line) for path in Path("out").glob("*.jsonl") for line in path.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "failure"]
