from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from orchestrator.local.stack import KEYS, REGION
from stepbench.aws import AwsConfig, Clients
from stepbench.errors import PartlyRefused
from stepbench.failures import is_retryable
from stepbench.queues import MAX_BATCH_MESSAGES, MAX_WAIT_SECONDS, Depth, Outgoing, Queue, Received
from stepbench.queues.memory import MemoryQueue
from stepbench.queues.sqs import BATCH_ATTEMPTS, EMPTY_AT_ONCE_SECONDS, SqsQueue
from tests.embedded import clients_at, emulated, new_queue

LONG_SECONDS = 60
"""Visibility of a queue whose messages must not come back while a test looks."""

MakeQueue = Callable[[], Queue]

# --- the contract, over every implementation ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    with emulated("sqs") as endpoint:
        yield clients_at(endpoint).sqs


def memory_queue(request: pytest.FixtureRequest) -> Queue:
    return MemoryQueue(LONG_SECONDS)


def sqs_queue(request: pytest.FixtureRequest) -> Queue:
    return new_queue(request.getfixturevalue("sqs"), LONG_SECONDS)


@pytest.fixture(params=[memory_queue, sqs_queue], ids=["memory", "sqs"])
def queue(request: pytest.FixtureRequest) -> Queue:
    made: Queue = request.param(request)
    return made


def outgoing(*bodies: str) -> list[Outgoing]:
    return [Outgoing(body) for body in bodies]


def receive_one(queue: Queue) -> Received:
    """The next message, waiting for it as long as a poll may last."""
    (message,) = queue.receive(1, MAX_WAIT_SECONDS)
    return message


def receive_all(queue: Queue) -> list[Received]:
    found: list[Received] = []
    while batch := queue.receive(MAX_BATCH_MESSAGES, 0):
        found += batch
    return found


def test_any_number_of_messages_is_sent_and_each_comes_out_once_while_it_is_hidden(queue: Queue) -> None:
    bodies = [f"message {number}" for number in range(2 * MAX_BATCH_MESSAGES + 5)]
    queue.send(outgoing(*bodies))
    assert sorted(message.body for message in receive_all(queue)) == sorted(bodies)
    assert queue.receive(1, 0) == []


def test_a_receive_gives_no_more_than_it_was_asked_for_and_never_more_than_ten(queue: Queue) -> None:
    queue.send(outgoing(*(str(number) for number in range(25))))
    assert len(queue.receive(3, 0)) <= 3
    assert len(queue.receive(100, 0)) <= MAX_BATCH_MESSAGES


def test_an_empty_queue_gives_nothing(queue: Queue) -> None:
    assert queue.receive(MAX_BATCH_MESSAGES, 0) == []


def test_a_waiting_receiver_wakes_when_a_message_comes(queue: Queue) -> None:
    found: list[Received] = []
    receiver = threading.Thread(target=lambda: found.extend(queue.receive(1, MAX_WAIT_SECONDS)))
    receiver.start()
    queue.send(outgoing("wake up"))
    receiver.join()
    assert [message.body for message in found] == ["wake up"]


def test_a_message_that_is_neither_deleted_nor_kept_hidden_comes_again(queue: Queue) -> None:
    queue.send(outgoing("again"))
    first = receive_one(queue)
    queue.hide([first.receipt], 1)
    second = receive_one(queue)
    assert (second.id, second.body) == (first.id, first.body)
    assert (first.receive_count, second.receive_count) == (1, 2)
    assert second.receipt != first.receipt


def test_a_message_that_is_kept_hidden_does_not_come_again(queue: Queue) -> None:
    queue.send(outgoing("held"))
    while True:
        held = receive_one(queue)
        began = monotonic()
        queue.hide([held.receipt], 1)
        queue.hide([held.receipt], LONG_SECONDS)
        if monotonic() - began < 1:
            break
        queue.hide([held.receipt], 0)  # too late on a busy machine: it was visible in between
    assert queue.receive(1, 2) == []


def test_hiding_for_no_time_hands_a_message_back_at_once(queue: Queue) -> None:
    queue.send(outgoing("handed back"))
    queue.hide([receive_one(queue).receipt], 0)
    (again,) = queue.receive(1, 0)
    assert (again.body, again.receive_count) == ("handed back", 2)


def test_more_messages_than_a_batch_holds_are_hidden_and_deleted_alike(queue: Queue) -> None:
    queue.send(outgoing(*(str(number) for number in range(23))))
    queue.hide([message.receipt for message in receive_all(queue)], 0)
    again = receive_all(queue)
    assert len(again) == 23
    queue.delete([message.receipt for message in again])
    assert queue.depth() == Depth(visible=0, in_flight=0, delayed=0)


def test_a_deleted_message_is_gone(queue: Queue) -> None:
    queue.send(outgoing("one", "two"))
    first, second = receive_one(queue), receive_one(queue)
    queue.delete([first.receipt])
    queue.hide([second.receipt], 0)
    assert [message.body for message in receive_all(queue)] == [second.body]


def test_a_receipt_that_is_no_longer_valid_is_no_error(queue: Queue) -> None:
    queue.send(outgoing("twice"))
    stale = receive_one(queue)
    queue.hide([stale.receipt], 0)
    fresh = receive_one(queue)
    queue.delete([fresh.receipt])
    queue.delete([fresh.receipt])
    queue.hide([fresh.receipt], LONG_SECONDS)
    queue.delete([stale.receipt])
    queue.hide([stale.receipt], 0)
    assert queue.depth().empty


def test_whoever_extends_learns_which_messages_are_gone(queue: Queue) -> None:
    queue.send(outgoing(*(str(number) for number in range(12))))
    receipts = [message.receipt for message in receive_all(queue)]
    assert queue.hide(receipts, LONG_SECONDS) == []
    gone = [receipts[1], receipts[11]]
    queue.delete(gone)
    assert queue.hide(receipts, LONG_SECONDS) == gone


def test_a_bad_receipt_does_not_keep_the_others_of_its_batch(queue: Queue) -> None:
    queue.send(outgoing("one", "two"))
    receipts = [message.receipt for message in receive_all(queue)]
    queue.delete([receipts[0], "no receipt at all", receipts[1]])
    assert queue.depth().empty


def test_the_depth_tells_what_waits_and_what_is_in_somebodys_hands(queue: Queue) -> None:
    assert queue.depth().empty
    queue.send(outgoing("one", "two", "three"))
    assert queue.depth() == Depth(visible=3, in_flight=0, delayed=0)
    message = receive_one(queue)
    assert queue.depth() == Depth(visible=2, in_flight=1, delayed=0)
    assert not queue.depth().empty
    queue.delete([message.receipt])
    assert queue.depth() == Depth(visible=2, in_flight=0, delayed=0)


def test_the_stamps_are_those_of_sending_and_of_the_first_receive(queue: Queue) -> None:
    queue.send(outgoing("stamped"))
    first = receive_one(queue)
    queue.hide([first.receipt], 0)
    second = receive_one(queue)
    assert first.sent_at_ms <= first.first_received_at_ms
    assert (second.sent_at_ms, second.first_received_at_ms) == (first.sent_at_ms, first.first_received_at_ms)
    assert first.queue_wait_ns == (first.first_received_at_ms - first.sent_at_ms) * 1_000_000


def test_bodies_arrive_as_they_were_sent(queue: Queue) -> None:
    body = '{"text": "naïve ☃ 𝄞 \\u0000 & <b>", "tab": "\t\n"}'
    queue.send(outgoing(body))
    assert receive_one(queue).body == body


def test_messages_of_a_group_are_hidden_one_by_one_as_on_any_standard_queue(queue: Queue) -> None:
    queue.send([Outgoing(body, group="run-1") for body in ("one", "two")])
    receive_one(queue)
    receive_one(queue)


def test_nothing_to_send_delete_or_hide_is_no_call(queue: Queue) -> None:
    queue.send([])
    queue.delete([])
    queue.hide([], 10)
    assert queue.depth().empty


# --- the queue in memory ------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_message_in_memory_comes_again_exactly_when_its_visibility_timeout_is_over() -> None:
    clock = Clock()
    queue = MemoryQueue(visibility_seconds=30, clock=clock)
    queue.send(outgoing("x"))
    clock.now += 5
    (first,) = queue.receive(1, 0)
    assert first.queue_wait_ns == 5_000_000_000
    clock.now += 29.9
    assert queue.receive(1, 0) == []
    clock.now += 0.1
    (second,) = queue.receive(1, 0)
    assert (second.receive_count, second.queue_wait_ns) == (2, 5_000_000_000)


def test_a_message_in_memory_that_was_received_too_often_is_a_dead_letter() -> None:
    queue = MemoryQueue(max_receives=2)
    queue.send(outgoing("poison", "good"))
    for _ in range(2):
        queue.hide([message.receipt for message in queue.receive(2, 0)], 0)
    assert queue.dead_letters == []
    assert queue.receive(2, 0) == []
    assert sorted(queue.dead_letters) == ["good", "poison"]


# --- SQS's batch answers ------------------------------------------------------------------------------------------

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
    return SqsQueue(client, URL, LONG_SECONDS)


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
        "VisibilityTimeout": LONG_SECONDS,
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
