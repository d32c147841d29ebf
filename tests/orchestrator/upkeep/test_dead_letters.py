from __future__ import annotations

import json
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.upkeep import dead_letter_queue
from orchestrator.upkeep.dead_letters import DeadLetters
from stepbench.settings import Settings
from tests.doubles import refused
from tests.factories import QUEUES, STEPS_QUEUE, make_message

DEAD = f"{QUEUES}/dead"
STEPS_ARN = "arn:aws:sqs:eu-west-1:123456789012:steps"
SOUND = make_message().model_dump_json()


def message(number: int, source: str | None = None, body: str = SOUND) -> dict[str, Any]:
    attributes = {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "6"}
    named = {"DeadLetterQueueSourceArn": source} if source else {}
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"receipt {number}",
        "Body": body,
        "Attributes": attributes | named,
    }


def done(asked: dict[str, Any]) -> dict[str, Any]:
    """A batch call's answer: all of it was done."""
    return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}


class Sqs:
    """An SQS client that hands out `batches`, and tells in order what was changed."""

    exceptions = type("Exceptions", (), {"ClientError": ClientError})

    def __init__(self, *batches: list[dict[str, Any]], sending: Exception | None = None) -> None:
        self.batches = deque(batches)
        self.told: list[tuple[str, str, list[str]]] = []
        self.hidden_seconds: set[int] = set()
        self._sending = sending

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803 # the SDK's names
        policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": "5"}
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return {"Attributes": {"QueueArn": STEPS_ARN, "RedrivePolicy": json.dumps(policy), **dict.fromkeys(counts, 0)}}

    def receive_message(self, **asked: Any) -> Any:
        self.hidden_seconds.add(asked["VisibilityTimeout"])
        return {"Messages": self.batches.popleft()} if self.batches else {}

    def send_message(self, **sent: Any) -> None:
        self._changed("send", sent["QueueUrl"], [sent["MessageBody"]])

    def send_message_batch(self, **sent: Any) -> Any:
        self._changed("send", sent["QueueUrl"], [entry["MessageBody"] for entry in sent["Entries"]])
        return done(sent)

    def delete_message_batch(self, **asked: Any) -> Any:
        self._changed("delete", asked["QueueUrl"], [entry["ReceiptHandle"] for entry in asked["Entries"]])
        return done(asked)

    def change_message_visibility_batch(self, **asked: Any) -> Any:
        assert {entry["VisibilityTimeout"] for entry in asked["Entries"]} == {0}
        self._changed("hand back", asked["QueueUrl"], [entry["ReceiptHandle"] for entry in asked["Entries"]])
        return done(asked)

    def _changed(self, what: str, url: str, about: list[str]) -> None:
        if what == "send" and self._sending:
            raise self._sending
        self.told.append((what, url, about))


def dead_letters(sqs: Sqs) -> DeadLetters:
    return DeadLetters.of(Settings(ORCH_BUCKET="bucket", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE), SimpleNamespace(sqs=sqs))  # type: ignore[arg-type] # a stand-in


def test_messages_of_a_queue_that_shares_the_dead_letter_queue_are_left_alone() -> None:
    sqs = Sqs([message(1, STEPS_ARN), message(2, STEPS_ARN + "-of-others"), message(3)])

    listing = dead_letters(sqs).listed(None)

    assert [letter.message_id for letter in listing.letters] == ["m1", "m3"]
    assert (listing.of_other_queues, listing.cut_short) == (1, False)
    assert sqs.told == [("hand back", DEAD, ["receipt 1", "receipt 2", "receipt 3"])]


def test_a_message_is_sent_before_it_is_deleted() -> None:
    sqs = Sqs([message(1), message(2)], [message(3)])

    assert dead_letters(sqs).send_back(["m1", "m3"]) == 2

    assert sqs.told == [
        ("send", STEPS_QUEUE, [SOUND]),
        ("delete", DEAD, ["receipt 1"]),
        ("send", STEPS_QUEUE, [SOUND]),
        ("delete", DEAD, ["receipt 3"]),
        ("hand back", DEAD, ["receipt 2"]),
    ]


def test_what_could_not_be_sent_is_not_deleted_but_handed_back() -> None:
    sqs = Sqs([message(1)], sending=refused("AccessDenied"))

    with pytest.raises(ClientError):
        dead_letters(sqs).send_back(["m1"])

    assert sqs.told == [("hand back", DEAD, ["receipt 1"])]


@pytest.mark.parametrize(
    "damage",
    [{"MD5OfBody": "0" * 32}, {"Attributes": {}}, {"Attributes": message(1)["Attributes"] | {"SentTimestamp": "17o"}}],
    ids=["body", "cut", "number"],
)
def test_what_arrived_damaged_is_neither_sent_back_nor_deleted(damage: dict[str, Any]) -> None:
    sqs = Sqs([message(1) | damage], [message(2)])

    assert dead_letters(sqs).send_back(["m1", "m2"]) == 1

    assert sqs.told == [("send", STEPS_QUEUE, [SOUND]), ("delete", DEAD, ["receipt 2"])]


def test_what_is_no_longer_there_is_not_counted() -> None:
    sqs = Sqs([message(1)])

    assert dead_letters(sqs).purge(["m1", "m2"]) == 1
    assert sqs.told == [("delete", DEAD, ["receipt 1"])]


def test_nothing_is_received_where_nothing_is_to_be_done() -> None:
    sqs = Sqs([message(1)])

    assert dead_letters(sqs).purge([]) == 0
    assert len(sqs.batches) == 1


def test_a_look_ends_where_messages_come_round_again() -> None:
    sqs = Sqs([message(1), message(2)], [message(1) | {"ReceiptHandle": "newer"}], [message(3)])

    listing = dead_letters(sqs).listed(None)

    assert [letter.message_id for letter in listing.letters] == ["m1", "m2"]
    assert listing.cut_short
    assert sqs.told == [("hand back", DEAD, ["newer", "receipt 2"])]


def test_a_look_in_passing_takes_nothing_away_and_hides_nothing_for_long() -> None:
    sqs = Sqs([message(1), message(2, body="no JSON")])
    client: Any = sqs

    assert dead_letter_queue.bodies_of(client, STEPS_QUEUE) == [SOUND, "no JSON"]
    assert sqs.told == [("hand back", DEAD, ["receipt 1", "receipt 2"])]
    assert max(sqs.hidden_seconds) <= 10
