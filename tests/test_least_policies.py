"""Whole runs as users who may do what `policy` prints and nothing else; and what happens without each of it.

Of keys this proves less than of buckets and queues: moto asks nobody for leave to use one. The emulator here asks for
what AWS documents that S3 needs of KMS (`_uses_of_keys` in tests/emulator.py), of the user who calls S3. Proven is so
that the key's name comes with every upload, that the statement covers that key, and that a refusal in KMS's words is
told; not that AWS asks for exactly that, and nothing about a key's own policy.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import time
from typing import Any

import pytest

from stepbench.iam_grants import GRANTS
from stepbench.refusals import refused_action
from tests.ecs_agent import agent_at_work
from tests.emulator import ACCOUNT, REGION, Account, User, enforcing
from tests.factories import make_done, make_message
from tests.runs.programs import RunProgram, WorkerProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

START = ("start", "--json", "--quiet", "--steps", "2", "--serializer", "raw", "--max-attempts", "1")
SMALL = ("--payload-mb", "0.01")
IN_PARTS = ("--payload-mb", "6", "--s3-part-mb", "5.243")
BUCKET = "payloads"
CLUSTER = "stack"
WITH_KEY = {"SSE": "kms", "KMS_KEY_ID": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}

Allowed = tuple[str, str]
"""A statement's Sid and one of its actions."""

# What is taken away in the tests below, by what becomes of it.
ENDS_A_RUN: list[Allowed] = [
    ("WritePayloads", "s3:PutObject"),
    ("TagPayloads", "s3:PutObjectTagging"),
    ("SendSteps", "sqs:SendMessage"),
    ("SendSteps", "sqs:GetQueueAttributes"),
    ("OwnResultsQueue", "sqs:CreateQueue"),
    ("OwnResultsQueue", "sqs:DeleteQueue"),
    ("TakeCompletions", "sqs:ReceiveMessage"),
    ("TakeCompletions", "sqs:DeleteMessage"),
    ("ListObjects", "s3:ListBucket"),
    ("DeleteObjects", "s3:DeleteObject"),
]
TO_READ_COPIES: Allowed = ("ReadCopies", "s3:GetObject")
ENDS_A_RUN_WITH_A_COPY: list[Allowed] = [
    ("WritePayloads", "s3:PutObject"),
    ("ListObjects", "s3:ListBucket"),
    ("DeleteObjects", "s3:DeleteObject"),
    TO_READ_COPIES,
]
ENDS_A_RUN_ON_A_SHARED_QUEUE: list[Allowed] = [
    ("ShareResultsQueue", "sqs:GetQueueAttributes"),
    ("ShareResultsQueue", "sqs:ChangeMessageVisibility"),
]
OF_THE_KEY: list[Allowed] = [("UseKey", "kms:GenerateDataKey"), ("UseKey", "kms:Decrypt")]
FAILS_A_STEP: list[Allowed] = [
    ("ReadPayloads", "s3:GetObject"),
    ("WritePayloads", "s3:PutObject"),
    ("TagPayloads", "s3:PutObjectTagging"),
]
ENDS_A_WORKER: list[Allowed] = [
    ("TakeSteps", "sqs:ReceiveMessage"),
    ("TakeSteps", "sqs:DeleteMessage"),
    ("SendCompletions", "sqs:SendMessage"),
]
TO_KEEP_HIDDEN: Allowed = ("TakeSteps", "sqs:ChangeMessageVisibility")
TO_DELETE_ORPHANS: Allowed = ("DeleteOrphans", "s3:DeleteObject")
TO_FIND_DEAD_LETTERS: list[Allowed] = [
    ("FindDeadLetters", "sqs:ReceiveMessage"),
    ("FindDeadLetters", "sqs:ChangeMessageVisibility"),
]
TO_GIVE_UP: Allowed = ("OwnResultsQueue", "sqs:GetQueueAttributes")
TO_START_THE_FLEET: list[Allowed] = [("StartFleet", "ecs:DescribeServices"), ("StartFleet", "ecs:UpdateService")]
TO_PROTECT_ITS_TASK: Allowed = ("ProtectTask", "ecs:UpdateTaskProtection")
TO_DO_STEPS_ITSELF: list[Allowed] = [("ReadPayloads", "s3:GetObject")]
TO_ABORT: Allowed = ("WritePayloads", "s3:AbortMultipartUpload")
TAKEN_AWAY = {
    "orchestrator": [
        *ENDS_A_RUN,
        *ENDS_A_RUN_ON_A_SHARED_QUEUE,
        *OF_THE_KEY,
        *TO_FIND_DEAD_LETTERS,
        *TO_START_THE_FLEET,
        *TO_DO_STEPS_ITSELF,
        TO_GIVE_UP,
        TO_READ_COPIES,
        TO_ABORT,
    ],
    "worker": [
        *FAILS_A_STEP,
        *ENDS_A_WORKER,
        *OF_THE_KEY,
        TO_KEEP_HIDDEN,
        TO_DELETE_ORPHANS,
        TO_PROTECT_ITS_TASK,
        TO_ABORT,
    ],
}


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
        dead_letters = ("--dead-letter-queue", self.dead_letters_url.rpartition("/")[2])
        printed = self.run_as(self.orchestrator, "policy", "--role", role, *dead_letters, **settings)
        assert printed.returncode == 0, printed.stderr
        document: dict[str, Any] = json.loads(printed.stdout)
        return document

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
        """A fixed results queue in which a completion of another run waits."""
        sqs = self.account.client("sqs")
        url: str = sqs.create_queue(QueueName=self.worker.name + "-results")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=make_done(run="another").model_dump_json())
        return url


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with enforcing() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def place(account: Account, tmp_path: Path) -> Place:
    """Queues and users of this test's own."""
    number = len(account.client("iam").list_users()["Users"])
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
    users = account.user(f"worker-{number}"), account.user(f"orchestrator-{number}")
    return Place(account, settings, *users, tmp_path, dead_letters_url)


def allow(place: Place, role: str | None = None, without: Allowed | None = None, /, **settings: str) -> None:
    """Gives both users their printed policies; that of `role` `without` one action of one statement."""
    for each, user in (("worker", place.worker), ("orchestrator", place.orchestrator)):
        document = place.policy(each, **settings)
        if each == role and without:
            document["Statement"] = list(_without(without, document["Statement"]))
        place.account.allow(user.name, document)


def _without(taken: Allowed, statements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    found = False
    for statement in statements:
        left = [action for action in statement["Action"] if (statement["Sid"], action) != taken]
        found = found or left != statement["Action"]
        if left:
            yield {**statement, "Action": left}
    assert found, f"no statement is {taken}: nothing would be tested"


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


@pytest.mark.parametrize("role", TAKEN_AWAY)
def test_every_action_of_every_statement_is_taken_away_in_a_test(role: str) -> None:
    granted = [(grant.sid, action) for grant in GRANTS[role] for action in grant.reasons]  # type: ignore[index] # a role

    assert sorted(TAKEN_AWAY[role]) == sorted(granted)


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


@pytest.mark.parametrize("without", ENDS_A_RUN, ids=" ".join)
def test_without_it_the_orchestrator_is_refused_and_says_what_would_allow_it(place: Place, without: Allowed) -> None:
    allow(place, "orchestrator", without, CLEANUP="true")
    with place.working():
        # So many completions that some are deleted before the queue is.
        ended = place.run_as(place.orchestrator, *START, *SMALL, "--concurrency", "6", CLEANUP="true")

    assert ended.returncode == 3, ended.stderr
    statement = sentence_in(ended.stderr, without[1])
    assert without[1] in statement["Action"]


@pytest.mark.parametrize("without", ENDS_A_RUN_WITH_A_COPY, ids=" ".join)
def test_without_it_the_orchestrator_cannot_keep_a_copy_of_its_metrics_and_says_so(
    place: Place, without: Allowed
) -> None:
    allow(place, "orchestrator", without, METRICS_SYNC_SECONDS="1")
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL, METRICS_SYNC_SECONDS="1")

    assert ended.returncode == 3, ended.stderr
    assert sentence_in(ended.stderr, without[1])["Sid"] == without[0]


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


@pytest.mark.parametrize("without", ENDS_A_RUN_ON_A_SHARED_QUEUE, ids=" ".join)
def test_without_it_the_orchestrator_cannot_share_a_results_queue_and_says_so(place: Place, without: Allowed) -> None:
    results = place.shared_results_queue()
    allow(place, "orchestrator", without, ORCH_RESULTS_QUEUE_URL=results)
    ended = place.run_as(place.orchestrator, *START, *SMALL, ORCH_RESULTS_QUEUE_URL=results)

    assert ended.returncode == 3, ended.stderr
    assert sentence_in(ended.stderr, without[1])["Sid"] == "ShareResultsQueue"


@pytest.mark.parametrize("without", OF_THE_KEY, ids=" ".join)
def test_without_it_the_orchestrator_cannot_use_the_key_and_says_so(place: Place, without: Allowed) -> None:
    allow(place, "orchestrator", without, **WITH_KEY)
    ended = place.run_as(place.orchestrator, *START, *IN_PARTS, **WITH_KEY)

    assert ended.returncode == 3, ended.stderr
    statement = sentence_in(ended.stderr, without[1])
    assert (statement["Sid"], statement["Resource"]) == ("UseKey", WITH_KEY["KMS_KEY_ID"])


@pytest.mark.parametrize("without", [*FAILS_A_STEP, *OF_THE_KEY], ids=" ".join)
def test_without_it_a_workers_steps_fail_and_say_why(place: Place, without: Allowed) -> None:
    key = WITH_KEY if without in OF_THE_KEY else {}
    allow(place, "worker", without, **key)
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL, **key)

    assert ended.returncode == 1, ended.stderr
    (failure,) = failures()
    assert failure["retryable"] is False
    assert without[1].partition(":")[2] in failure["message"]


@pytest.mark.parametrize("without", ENDS_A_WORKER, ids=" ".join)
def test_without_it_a_worker_is_refused_and_says_what_would_allow_it(place: Place, without: Allowed) -> None:
    allow(place, "worker", without)
    # So many steps that no receive of the worker's waits for one.
    with place.working() as worker, place.starting("--concurrency", "60"):
        assert worker.exit_code() == 3, worker.stderr

    assert sentence_in(worker.stderr, without[1])["Sid"] == without[0]


def test_a_worker_that_may_not_delete_publishes_what_it_has_done_all_the_same(place: Place) -> None:
    allow(place, "worker", ("TakeSteps", "sqs:DeleteMessage"))
    with place.working() as worker, place.starting("--concurrency", "60") as run:
        assert worker.exit_code() == 3, worker.stderr
        (kept,) = worker.log_lines("could not delete step messages")[:1]
        run.until("its steps are counted", lambda so_far: len(so_far.samples) >= kept["count"])


def test_a_worker_that_may_not_delete_even_what_has_expired_says_so_too(place: Place) -> None:
    allow(place, "worker", ("TakeSteps", "sqs:DeleteMessage"))
    url = place.settings["ORCH_STEPS_QUEUE_URL"]
    results = f"{url.rpartition('/')[0]}/{place.settings['ORCH_RESULTS_QUEUE_PREFIX']}r1"
    expired = make_message(results_queue_url=results, expires_at=time() - 1).model_dump_json()
    for _ in range(60):
        place.account.client("sqs").send_message(QueueUrl=url, MessageBody=expired)
    with place.working() as worker:
        assert worker.exit_code() == 3, worker.stderr

    assert sentence_in(worker.stderr, "sqs:DeleteMessage")["Sid"] == "TakeSteps"


def test_a_worker_that_may_not_keep_its_messages_hidden_finishes_its_step_and_ends(
    place: Place, tmp_path: Path
) -> None:
    allow(place, "worker", TO_KEEP_HIDDEN)
    saboteur = Saboteur(tmp_path)
    saboteur.order("wait", "transform")
    with place.working(VISIBILITY_TIMEOUT="2", **saboteur.variables) as worker, place.starting() as run:
        worker.until_logged("worker ends")
        saboteur.go()
        assert worker.exit_code() == 3, worker.stderr
        run.until("the step is counted", lambda so_far: so_far.samples)

    assert sentence_in(worker.stderr, TO_KEEP_HIDDEN[1])["Sid"] == TO_KEEP_HIDDEN[0]


@pytest.mark.parametrize("without", [None, TO_DELETE_ORPHANS], ids=["with it", "without it"])
def test_without_it_a_worker_leaves_the_output_that_nobody_waits_for_and_says_why(
    place: Place, tmp_path: Path, without: Allowed | None
) -> None:
    allow(place, "worker", without)
    saboteur = Saboteur(tmp_path)
    saboteur.order("wait", "transform")
    with place.working(**saboteur.variables) as worker:
        worker.until_logged("worker ready")
        with place.starting("--step-expiry", "4"):
            saboteur.until_obeyed()
            expires_at = time() + 4
        for url in place.results_queues():
            place.account.client("sqs").delete_queue(QueueUrl=url)
        eventually("the step has expired", lambda: time() > expires_at)
        saboteur.go()
        worker.until_logged("results queue is gone")
        if without is None:
            eventually("the output is gone", lambda: place.outputs() == [])
            return
        (told,) = worker.until_logged("could not delete an output that nobody waits for")
    assert without[1].partition(":")[2] in told["error"]
    assert [told["uri"]] == place.outputs()


@pytest.mark.parametrize("without", [None, *TO_FIND_DEAD_LETTERS], ids=str)
def test_without_it_a_run_finds_none_of_its_dead_letters_and_waits_for_the_stall_timeout(
    place: Place, without: Allowed | None
) -> None:
    allow(place, "orchestrator", without)
    sqs, steps = place.account.client("sqs"), place.settings["ORCH_STEPS_QUEUE_URL"]
    with place.starting("--stall-timeout", "8", "--max-attempts", "2", LOG_LEVEL="info") as run:
        (message,) = eventually("a step", lambda: sqs.receive_message(QueueUrl=steps).get("Messages"))
        sqs.send_message(QueueUrl=place.dead_letters_url, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=steps, ReceiptHandle=message["ReceiptHandle"])
        (lost,) = run.until("the step is given up", lambda so_far: so_far.events("lost"))
        told = "could not look for dead letters" in run.stderr

    assert ("STALL_TIMEOUT" in lost["message"]) is (without is not None)
    assert told is (without is not None)


def test_without_it_a_run_gives_no_step_up_and_says_what_it_may_not_see(place: Place) -> None:
    allow(place, "orchestrator", TO_GIVE_UP)
    sqs, steps = place.account.client("sqs"), place.settings["ORCH_STEPS_QUEUE_URL"]
    with place.starting("--stall-timeout", "2") as run:
        (message,) = eventually("a step", lambda: sqs.receive_message(QueueUrl=steps).get("Messages"))
        sqs.delete_message(QueueUrl=steps, ReceiptHandle=message["ReceiptHandle"])
        code = run.exit_code()

    assert code == 3
    assert "sqs:GetQueueAttributes was refused" in run.stderr
    assert not run.outcome().events("lost")


@pytest.mark.parametrize("without", [None, *TO_START_THE_FLEET], ids=str)
def test_without_it_a_run_does_not_start_its_fleet_says_why_and_goes_on(place: Place, without: Allowed | None) -> None:
    fleet = place.new_fleet()
    allow(place, "orchestrator", without, **fleet)
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL, **fleet)

    assert ended.returncode == 0, ended.stderr
    assert place.account.desired_count(CLUSTER, place.worker.name) == (1 if without is None else 0)
    [said] = ended.stderr.splitlines()
    assert said.startswith("Fleet small had no tasks" if without is None else "Fleet small could not be looked after, ")
    if without is not None:
        statement = json.loads(said.partition("allows it: ")[2])
        assert (statement["Sid"], f"{without[1]} was refused" in said) == (without[0], True)


@pytest.mark.parametrize("without", [None, TO_PROTECT_ITS_TASK], ids=["with it", "without it"])
def test_without_it_a_workers_task_is_not_protected_and_its_steps_are_done_all_the_same(
    place: Place, without: Allowed | None
) -> None:
    ecs, fleet = place.account.client_of(place.worker, "ecs"), place.new_fleet()
    allow(place, "worker", without, **fleet)

    def ask_ecs(_: int, asked: dict[str, Any]) -> tuple[int, str]:
        """As the agent does, in the name of the task's role."""
        try:
            ecs.update_task_protection(cluster=CLUSTER, tasks=["1"], protectionEnabled=asked["ProtectionEnabled"])
        except ecs.exceptions.ClientError as error:
            return 400, json.dumps({"error": error.response["Error"]})
        return agent.granted(asked)

    with agent_at_work() as agent:
        agent.answers = ask_ecs
        with place.working(ECS_AGENT_URI=agent.uri) as worker:
            ended = place.run_as(place.orchestrator, *START, *SMALL, "--transform=cpu", "--transform-cpu-ms=800")
            eventually("the agent is asked", lambda: agent.asked)

    assert ended.returncode == 0, ended.stderr
    told = worker.log_lines("could not have this task protected from being scaled in, or no longer")
    assert [TO_PROTECT_ITS_TASK[1] in line["why"] for line in told] == ([] if without is None else [True])


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


DIRECT = {"CHANNEL": "direct", "ORCH_STEPS_QUEUE_URL": ""}


def allow_direct(place: Place, without: Allowed | None = None) -> dict[str, Any]:
    """Gives the orchestrator what `policy` prints for a run without queues; the document."""
    document = place.policy("orchestrator", **DIRECT)
    if without:
        document["Statement"] = list(_without(without, document["Statement"]))
    place.account.allow(place.orchestrator.name, document)
    return document


def test_a_run_without_queues_needs_no_right_to_any_and_no_more_than_its_policy(place: Place) -> None:
    document = allow_direct(place)
    ended = place.run_as(place.orchestrator, *START, *IN_PARTS, **DIRECT)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["samples"] == 2
    assert "sqs:" not in json.dumps(document)


@pytest.mark.parametrize("without", TO_DO_STEPS_ITSELF, ids=" ".join)
def test_without_it_the_steps_of_a_run_without_queues_fail_and_say_why(place: Place, without: Allowed) -> None:
    allow_direct(place, without)
    ended = place.run_as(place.orchestrator, *START, *SMALL, **DIRECT)

    assert ended.returncode == 1, ended.stderr
    (failure,) = failures()
    assert without[1].partition(":")[2] in failure["message"]
