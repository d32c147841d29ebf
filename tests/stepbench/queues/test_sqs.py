from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from orchestrator.local.stack import KEYS, REGION
from stepbench.aws import AwsConfig, Clients
from stepbench.errors import PartlyRefused
from stepbench.failures import is_retryable
from stepbench.queues import MAX_WAIT_SECONDS, Outgoing, Received
from stepbench.queues.sqs import BATCH_ATTEMPTS, EMPTY_AT_ONCE_SECONDS, SqsQueue
from tests.factories import outgoing

VISIBILITY_SECONDS = 60

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/steps"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between tries, which are told and not made."""
    made: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr("stepbench.queues.sqs.sleep", made.append)
    return made


@pytest.fixture(scope="module")
def unconnected() -> Any:
    return Clients(AwsConfig(region=REGION), keys=KEYS).sqs


@pytest.fixture
def stub(unconnected: Any) -> Iterator[Stubber]:
    with Stubber(unconnected) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def stubbed(stub: Stubber, pauses: list[float]) -> SqsQueue:
    client: Any = stub.client
    return SqsQueue(client, URL, VISIBILITY_SECONDS)


def refused(index: int, *, code: str = "InternalError", sender_fault: bool = False) -> dict[str, Any]:
    return {"Id": str(index), "SenderFault": sender_fault, "Code": code, "Message": "try again"}


def expects_send(stub: Stubber, bodies: list[str], failed: list[dict[str, Any]]) -> None:
    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)]
    ids = {part["Id"] for part in failed}
    successful = [
        {"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": "0" * 32}
        for entry in entries
        if entry["Id"] not in ids
    ]
    answer: dict[str, Any] = {"Successful": successful, "Failed": failed}
    stub.add_response("send_message_batch", answer, {"QueueUrl": URL, "Entries": entries})


def expects_delete(stub: Stubber, receipts: list[str], failed: list[dict[str, Any]]) -> None:
    entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)]
    ids = {part["Id"] for part in failed}
    answer = {"Successful": [{"Id": entry["Id"]} for entry in entries if entry["Id"] not in ids], "Failed": failed}
    stub.add_response("delete_message_batch", answer, {"QueueUrl": URL, "Entries": entries})


def test_the_refused_part_of_a_batch_is_sent_again_and_only_that(stub: Stubber, stubbed: SqsQueue) -> None:
    expects_send(stub, ["a", "b", "c"], [refused(0), refused(2)])
    expects_send(stub, ["a", "c"], [refused(1)])
    expects_send(stub, ["c"], [])
    stubbed.send(outgoing("a", "b", "c"))


def test_a_queue_that_goes_on_refusing_is_an_error_that_tells_why(
    stub: Stubber, stubbed: SqsQueue, pauses: list[float]
) -> None:
    expects_send(stub, ["a", "b"], [refused(1)])
    for _ in range(BATCH_ATTEMPTS - 1):
        expects_send(stub, ["b"], [refused(0, code="KmsThrottled")])
    with pytest.raises(PartlyRefused, match=r"refused 1 of 2 messages: KmsThrottled: try again"):
        stubbed.send(outgoing("a", "b"))
    assert len(pauses) == BATCH_ATTEMPTS - 1


def test_the_refused_part_of_a_deletion_is_tried_again(stub: Stubber, stubbed: SqsQueue) -> None:
    expects_delete(stub, ["a", "b"], [refused(0)])
    expects_delete(stub, ["a"], [])
    stubbed.delete(["a", "b"])


def test_a_deletion_that_goes_on_being_refused_is_left_to_redelivery(stub: Stubber, stubbed: SqsQueue) -> None:
    for _ in range(BATCH_ATTEMPTS):
        expects_delete(stub, ["a"], [refused(0)])
    stubbed.delete(["a"])


def test_a_receipt_that_has_run_out_is_not_tried_again(stub: Stubber, stubbed: SqsQueue, pauses: list[float]) -> None:
    expects_delete(stub, ["old", "new"], [refused(0, code="ReceiptHandleIsInvalid", sender_fault=True)])
    stubbed.delete(["old", "new"])
    assert pauses == []


def test_a_refused_part_of_a_beat_waits_for_the_next(stub: Stubber, stubbed: SqsQueue, pauses: list[float]) -> None:
    entries = [{"Id": "0", "ReceiptHandle": "a", "VisibilityTimeout": 30}]
    answer = {"Successful": [], "Failed": [refused(0)]}
    stub.add_response("change_message_visibility_batch", answer, {"QueueUrl": URL, "Entries": entries})
    assert stubbed.hide(["a"], 30) == []
    assert pauses == []


@pytest.mark.parametrize(
    ("call", "act", "with_it"),
    [
        ("delete_message_batch", lambda queue, receipts: queue.delete(receipts), {}),
        (
            "change_message_visibility_batch",
            lambda queue, receipts: queue.hide(receipts, 30),
            {"VisibilityTimeout": 30},
        ),
    ],
    ids=["delete", "hide"],
)
def test_where_one_stale_receipt_has_a_whole_batch_refused_the_others_are_dealt_with_one_by_one(
    call: str,
    act: Callable[[SqsQueue, list[str]], list[str] | None],
    with_it: dict[str, int],
    stub: Stubber,
    stubbed: SqsQueue,
) -> None:
    stub.add_client_error(call, "ReceiptHandleIsInvalid", "of one of them", 400)
    stub.add_client_error(call, "ReceiptHandleIsInvalid", "of this one", 400)
    entry = {"Id": "0", "ReceiptHandle": "new", **with_it}
    stub.add_response(call, {"Successful": [{"Id": "0"}], "Failed": []}, {"QueueUrl": URL, "Entries": [entry]})
    assert act(stubbed, ["old", "new"]) == (["old"] if with_it else None)


def test_an_entry_that_a_batchs_answer_does_not_tell_of_is_sent_again(stub: Stubber, stubbed: SqsQueue) -> None:
    sent = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0" * 32}
    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate("ab")]
    stub.add_response("send_message_batch", {"Successful": [sent], "Failed": []}, {"QueueUrl": URL, "Entries": entries})
    expects_send(stub, ["b"], [])
    stubbed.send(outgoing("a", "b"))


def test_an_entry_that_a_batchs_answer_does_not_tell_of_is_deleted_again(stub: Stubber, stubbed: SqsQueue) -> None:
    entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate("ab")]
    answer = {"Successful": [{"Id": "1"}], "Failed": []}
    stub.add_response("delete_message_batch", answer, {"QueueUrl": URL, "Entries": entries})
    expects_delete(stub, ["a"], [])
    stubbed.delete(["a", "b"])


DAMAGE = {
    "body": {"Body": "bodx"},
    "stamp": {"Attributes": {"SentTimestamp": "17000x0000000"}},
    "no attributes": {"Attributes": {}},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_message_that_arrives_damaged_is_left_to_come_again(
    damage: dict[str, Any], stub: Stubber, stubbed: SqsQueue
) -> None:
    names = ("SentTimestamp", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount")
    whole = {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": "body",
        "MD5OfBody": hashlib.md5(b"body", usedforsecurity=False).hexdigest(),
        "Attributes": dict.fromkeys(names, "1700000000123"),
    }
    stub.add_response("receive_message", {"Messages": [whole | damage, whole]})
    assert [received.body for received in stubbed.receive(10, 0)] == ["body"]


@pytest.mark.parametrize(
    ("code", "message", "is_gone"),
    [
        ("ReceiptHandleIsInvalid", "The input receipt handle is invalid.", True),
        ("MessageNotInflight", "", True),
        ("AWS.SimpleQueueService.MessageNotInflight", "", True),
        ("InvalidParameterValue", "Value x for parameter ReceiptHandle is invalid. Reason: Message does not …", True),
        ("InvalidParameterValue", "Value 9 for parameter VisibilityTimeout is invalid. Reason: Total …", False),
        ("RequestThrottled", "", False),
        ("InternalError", "", False),
    ],
)
def test_a_message_is_gone_only_where_sqs_says_so(
    stub: Stubber, stubbed: SqsQueue, code: str, message: str, is_gone: bool
) -> None:
    failed = {"Id": "1", "SenderFault": True, "Code": code, "Message": message}
    stub.add_response("change_message_visibility_batch", {"Successful": [], "Failed": [failed]})
    assert stubbed.hide(["a", "b"], 30) == (["b"] if is_gone else [])


@pytest.mark.parametrize("damaged", [{"ApproximateNumberOfMessages": "1x"}, {"approximateNumberOfMessages": "1"}])
def test_a_depth_that_arrives_damaged_is_worth_another_look(
    damaged: dict[str, str], stub: Stubber, stubbed: SqsQueue
) -> None:
    stub.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessagesNotVisible": "0", **damaged}})
    with pytest.raises(ConnectionError, match="arrived damaged") as caught:
        stubbed.depth()
    assert is_retryable(caught.value)


def test_a_call_that_is_refused_as_a_whole_raises_the_services_own_error(stub: Stubber, stubbed: SqsQueue) -> None:
    for call in ("send_message_batch", "receive_message", "delete_message_batch", "get_queue_attributes"):
        stub.add_client_error(call, "AccessDenied", "no", 403)
    for act in (
        lambda: stubbed.send(outgoing("a", "b")),
        lambda: stubbed.receive(1, 0),
        lambda: stubbed.delete(["a"]),
        stubbed.depth,
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            act()


def test_the_group_is_sent_as_message_group_id(stub: Stubber, stubbed: SqsQueue) -> None:
    entries = [{"Id": "0", "MessageBody": "a", "MessageGroupId": "run-1"}, {"Id": "1", "MessageBody": "b"}]
    successful = [{"Id": id_, "MessageId": id_, "MD5OfMessageBody": "0" * 32} for id_ in ("0", "1")]
    stub.add_response(
        "send_message_batch", {"Successful": successful, "Failed": []}, {"QueueUrl": URL, "Entries": entries}
    )
    stubbed.send([Outgoing("a", group="run-1"), Outgoing("b")])


def test_a_receive_asks_for_the_stamps_and_for_the_visibility_that_the_queue_was_made_with(
    stub: Stubber, stubbed: SqsQueue
) -> None:
    asked = {
        "QueueUrl": URL,
        "MaxNumberOfMessages": 10,
        "WaitTimeSeconds": 20,
        "VisibilityTimeout": VISIBILITY_SECONDS,
        "MessageSystemAttributeNames": ["SentTimestamp", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount"],
    }
    attributes = {
        "SentTimestamp": "1700000000123",
        "ApproximateFirstReceiveTimestamp": "1700000000456",
        "ApproximateReceiveCount": "3",
    }
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "b", "Attributes": attributes}
    stub.add_response("receive_message", {"Messages": [message]}, asked)
    stub.add_response("receive_message", {}, asked)
    (received,) = stubbed.receive(12, 20.7)
    assert received == Received("m", "r", "b", 1_700_000_000_123, 1_700_000_000_456, 3)
    assert received.queue_wait_ns == 333_000_000
    assert stubbed.receive(12, 20.7) == []


def test_a_server_that_does_not_wait_with_an_empty_answer_is_not_asked_without_a_pause(
    stub: Stubber, stubbed: SqsQueue, pauses: list[float]
) -> None:
    for _ in range(2):
        stub.add_response("receive_message", {})
    assert stubbed.receive(10, MAX_WAIT_SECONDS) == []
    assert pauses == [EMPTY_AT_ONCE_SECONDS]
    assert stubbed.receive(10, 0) == []
    assert pauses == [EMPTY_AT_ONCE_SECONDS], "who does not want to wait is not kept waiting"
