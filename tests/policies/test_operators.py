"""What an operator does, as a user who may do what `policy` prints and nothing else; and without each of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from stepbench.iam_grants import GRANTS
from tests.emulator import Account, User
from tests.factories import make_message, make_output_spec, make_ref
from tests.policies.place import BUCKET, WITH_KEY, new_queues, printed_policy, shared_results_queue, without_action
from tests.policies.taken_away import TO_ASK, Allowed

pytestmark = pytest.mark.infra

LISTS = ("dead-letters", "--json")
SENDS_BACK = (*LISTS, "--send-back")
PURGES = (*LISTS, "--purge", "--yes")
CLEANS_UP = ("cleanup", "--older-than=0s", "--step-expiry=0.001", "--yes")
OLD_RUN = "20200102-030405-0a1b2c"

NEEDED: dict[Allowed, tuple[str, ...]] = {
    ("SendBack", "sqs:GetQueueAttributes"): LISTS,
    ("SendBack", "sqs:SendMessage"): SENDS_BACK,
    ("SeeResultsQueues", "sqs:GetQueueAttributes"): LISTS,
    ("ListRemains", "s3:ListBucket"): CLEANS_UP,
    ("ListUploads", "s3:ListBucketMultipartUploads"): CLEANS_UP,
    ("DeleteRemains", "s3:DeleteObject"): CLEANS_UP,
    ("DeleteRemains", "s3:AbortMultipartUpload"): CLEANS_UP,
    ("ListQueues", "sqs:ListQueues"): CLEANS_UP,
    ("DeleteResultsQueues", "sqs:DeleteQueue"): CLEANS_UP,
    ("TakeDeadLetters", "sqs:GetQueueAttributes"): LISTS,
    ("TakeDeadLetters", "sqs:ReceiveMessage"): LISTS,
    ("TakeDeadLetters", "sqs:ChangeMessageVisibility"): LISTS,
    ("TakeDeadLetters", "sqs:DeleteMessage"): PURGES,
}
"""A statement's Sid and one of its actions → a command that is refused without it."""

SHARED = {"ORCH_RESULTS_QUEUE_URL": "shared"}
"""Stands for the URL of a results queue in which a completion of a run waits."""

DOCTOR_NEEDS: dict[Allowed, tuple[str, dict[str, str]]] = {
    ("TryObjects", "s3:PutObject"): ("Bucket", {}),
    ("TryObjects", "s3:GetObject"): ("Bucket", {}),
    ("TagObjects", "s3:PutObjectTagging"): ("Bucket", {}),
    ("SeeEncryption", "s3:GetEncryptionConfiguration"): ("Encryption", {}),
    ("MakeResultsQueue", "sqs:CreateQueue"): ("Results queue", {}),
    ("AskWorkers", "sqs:SendMessage"): ("Results queue", {}),
    ("AskWorkers", "sqs:ReceiveMessage"): ("Results queue", {}),
    ("AskWorkers", "sqs:DeleteMessage"): ("Results queue", {}),
    ("HandBackCompletions", "sqs:ChangeMessageVisibility"): ("Workers", SHARED),
    ("UseKey", "kms:GenerateDataKey"): ("Bucket", WITH_KEY),
    ("UseKey", "kms:Decrypt"): ("Bucket", WITH_KEY),
}
"""The same → the check of `doctor` that tells it, and the settings with which."""


@dataclass(frozen=True)
class Place:
    """An account with a fleet, and an operator who may do nothing before `allow`."""

    account: Account
    operator: User
    settings: dict[str, str]
    dead_letters_url: str

    def orchestrator(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestrator", *words],
            env={**os.environ, **self.operator.environment, **self.settings, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def doctor(self, wait_seconds: int, settings: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
        """Exit code, and each check by its name."""
        answer = self.orchestrator("doctor", "--json", "--wait", str(wait_seconds), **settings)
        assert answer.stdout, answer.stderr
        return answer.returncode, {check["name"]: check for check in json.loads(answer.stdout)["checks"]}

    def allow(self, without: Allowed | None = None, /, **settings: str) -> None:
        """What `policy` prints for an operator, `without` one action of one statement."""
        document = printed_policy("operator", self.dead_letters_url, {**self.settings, **settings})
        self.account.allow(self.operator.name, without_action(without, document) if without else document)


@pytest.fixture
def place(account: Account, number: int) -> Place:
    """With a dead letter whose results queue is there, what an old run has left, and an operator of this test's own."""
    settings, dead_letters = new_queues(account, number)
    sqs = account.client("sqs")
    results = sqs.create_queue(QueueName=f"results-{number}-r1")["QueueUrl"]
    below = f"s3://{BUCKET}/runs-{number}/r1/payloads/x"
    message = make_message(
        results_queue_url=results, input=make_ref(uri=below), output=make_output_spec(key_prefix=below)
    )
    sqs.send_message(QueueUrl=dead_letters, MessageBody=message.model_dump_json())
    payloads = f"runs-{number}/{OLD_RUN}/payloads"
    account.client("s3").put_object(Bucket=BUCKET, Key=f"{payloads}/x", Body=b"x")
    account.client("s3").create_multipart_upload(Bucket=BUCKET, Key=f"{payloads}/y")
    sqs.create_queue(QueueName=f"results-{number}-{OLD_RUN}")
    return Place(account, account.user(f"operator-{number}"), settings, dead_letters)


def test_every_action_of_every_statement_is_taken_away_in_a_test() -> None:
    assert sorted([*NEEDED, *DOCTOR_NEEDS, *TO_ASK]) == sorted(
        (grant.sid, action) for grant in GRANTS["operator"] for action in grant.reasons
    )


@pytest.mark.parametrize(("words", "done"), [(SENDS_BACK, "sent_back"), (PURGES, "purged")], ids=["send back", "purge"])
def test_an_operator_needs_no_more_than_the_printed_policy(words: tuple[str, ...], done: str, place: Place) -> None:
    place.allow()

    answer = place.orchestrator(*words)

    assert answer.returncode == 0, answer.stderr
    listing = json.loads(answer.stdout)
    assert [letter["kind"] for letter in listing["letters"]] == ["understood"]
    assert listing[done] == 1


def test_an_operator_needs_no_more_to_clean_up(place: Place) -> None:
    place.allow()

    answer = place.orchestrator(*CLEANS_UP)

    assert answer.returncode == 0, answer.stderr
    assert "Removed: 1 object, 1 B; 1 incomplete upload; 1 results queue." in answer.stdout


@pytest.mark.parametrize("without", NEEDED, ids=" ".join)
def test_without_it_an_operator_is_refused_and_told_what_would_allow_it(without: Allowed, place: Place) -> None:
    place.allow(without)

    answer = place.orchestrator(*NEEDED[without])

    assert answer.returncode == 3, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    (sentence,) = [line for line in answer.stderr.splitlines() if "was refused; " in line]
    assert sentence.startswith(f"{without[1]} was refused; the policy statement that allows it: ")
    statement = json.loads(sentence.partition("allows it: ")[2])
    assert statement["Sid"] == without[0]
    if without[0] == "TakeDeadLetters":
        assert statement["Resource"].endswith(f":{place.dead_letters_url.rpartition('/')[2]}")


@pytest.mark.parametrize("settings", [{}, WITH_KEY, SHARED], ids=["own queue", "a key", "shared queue"])
def test_a_doctor_needs_no_more_than_the_printed_policy(settings: dict[str, str], place: Place) -> None:
    settings = settings_for(place, settings)
    place.allow(None, **settings)

    code, checks = place.doctor(1, settings)

    assert [name for name, check in checks.items() if check["state"] == "wrong"] == ["Workers"], "there is none"
    assert "the steps queue has 10 messages waiting" in checks["Workers"]["found"]
    assert code == 3


@pytest.mark.parametrize("without", DOCTOR_NEEDS, ids=" ".join)
def test_without_it_a_doctor_says_what_would_allow_it(without: Allowed, place: Place) -> None:
    name, settings = DOCTOR_NEEDS[without]
    settings = settings_for(place, settings)
    place.allow(without, **settings)

    _, checks = place.doctor(1 if name == "Workers" else 0, settings)

    told = f"{checks[name]['found']}; {checks[name]['mend']}"
    assert f"{without[1]} was refused; the policy statement that allows it: " in told
    assert f'"Sid": "{without[0]}"' in told


def settings_for(place: Place, settings: dict[str, str]) -> dict[str, str]:
    if settings is not SHARED:
        return settings
    return {"ORCH_RESULTS_QUEUE_URL": shared_results_queue(place.account, f"{place.operator.name}-results")}
