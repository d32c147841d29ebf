"""A queue of Amazon SQS, or of a server that speaks its protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from stepbench.errors import PartlyRefused
from stepbench.failures import is_receipt_stale, means_stale_receipt
from stepbench.queues import MAX_BATCH_MESSAGES, Depth, Outgoing, Received

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

BATCH_ATTEMPTS = 6
"""Tries for the refused part of a batch; the SDK retries calls, but not the parts of one that was answered."""
EMPTY_AT_ONCE_SECONDS = 0.1
"""A long poll that finds nothing in less is none: such a server is not asked again and again without a pause."""

_NOT_TOLD = {"Code": "NoAnswer", "Message": "the answer does not tell what became of it"}

log = structlog.get_logger()
Item = TypeVar("Item")


class SqsQueue:
    """See `stepbench.queues.Queue`. Safe to use from several threads."""

    def __init__(self, client: SQSClient, url: str, visibility_seconds: int) -> None:
        """`visibility_seconds` hides a message after each receive, whatever the queue's own attribute says."""
        self._client = client
        self.url = url
        self._visibility_seconds = visibility_seconds

    def send(self, messages: Sequence[Outgoing]) -> None:
        if len(messages) == 1:
            # A batch of one costs the client a fifth more than a message by itself.
            self._client.send_message(QueueUrl=self.url, **_content(messages[0]))
            return
        for batch in _batches(messages):
            refused = self._retrying(self._send_batch, list(batch))
            if refused:
                raise PartlyRefused(f"{self.url} refused {len(refused)} of {len(batch)} messages: {refused[0][1]}")

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        began_at = monotonic()
        answer = self._client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=min(most, MAX_BATCH_MESSAGES),
            WaitTimeSeconds=int(wait_seconds),
            VisibilityTimeout=self._visibility_seconds,
            MessageSystemAttributeNames=[
                "SentTimestamp",
                "ApproximateFirstReceiveTimestamp",
                "ApproximateReceiveCount",
            ],
        )
        messages = answer.get("Messages", ())
        if not messages and monotonic() - began_at < EMPTY_AT_ONCE_SECONDS < wait_seconds:
            sleep(EMPTY_AT_ONCE_SECONDS)
        return [received for message in messages if (received := _received(message))]

    def delete(self, receipts: Sequence[str]) -> None:
        for batch in _batches(receipts):
            _past_stale_receipts(self._delete_all, list(batch))

    def hide(self, receipts: Sequence[str], seconds: int) -> list[str]:
        gone: list[str] = []
        for batch in _batches(receipts):
            gone += _past_stale_receipts(lambda receipts: self._hide_batch(receipts, seconds), list(batch))
        return gone

    def depth(self) -> Depth:
        found = self._client.get_queue_attributes(
            QueueUrl=self.url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        try:
            return Depth(
                visible=int(found["ApproximateNumberOfMessages"]),
                in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
                delayed=int(found.get("ApproximateNumberOfMessagesDelayed", "0")),
            )
        except (KeyError, ValueError) as error:
            raise ConnectionError(f"the attributes of {self.url} arrived damaged: {error!r}") from error

    def _send_batch(self, messages: list[Outgoing]) -> list[tuple[Outgoing, str]]:
        entries: list[Any] = [{"Id": str(index), **_content(message)} for index, message in enumerate(messages)]
        answer = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        return [(messages[index], _reason(part)) for index, part in _refused(answer, len(messages))]

    def _delete_batch(self, receipts: list[str]) -> list[tuple[str, str]]:
        entries: list[Any] = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)]
        answer = self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)
        refused = _refused(answer, len(receipts))
        _log_refused("delete", refused)
        # The sender's fault: the receipt has run out. The message comes again and is then known as a duplicate.
        return [(receipts[index], _reason(part)) for index, part in refused if not part.get("SenderFault")]

    def _delete_all(self, receipts: list[str]) -> list[str]:
        self._retrying(self._delete_batch, receipts)
        return []

    def _hide_batch(self, receipts: list[str], seconds: int) -> list[str]:
        entries: list[Any] = [
            {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for index, receipt in enumerate(receipts)
        ]
        answer = self._client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
        refused = _refused(answer, len(receipts))
        _log_refused("hide", refused)
        return [receipts[index] for index, part in refused if _is_gone(part)]

    @staticmethod
    def _retrying(call: Any, items: list[Item]) -> list[tuple[Item, str]]:
        """`call(items)` until it refuses none; each next try has only the refused. Returns what is refused at last."""
        left: list[tuple[Item, str]] = [(item, "") for item in items]

        def once() -> list[tuple[Item, str]]:
            nonlocal left
            left = call([item for item, _ in left])
            return left

        retrying = Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(BATCH_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            retry_error_callback=lambda state: left,
        )
        return retrying(once)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), MAX_BATCH_MESSAGES):
        yield items[start : start + MAX_BATCH_MESSAGES]


def _content(message: Outgoing) -> Any:
    content = {"MessageBody": message.body}
    return content | {"MessageGroupId": message.group} if message.group else content


def _past_stale_receipts(call: Callable[[list[str]], list[str]], receipts: list[str]) -> list[str]:
    """`call(receipts)`, on servers too that refuse all of them where one is no longer valid: then each by itself.

    Returns what the calls return, and the receipts that were refused in that way.
    """
    try:
        return call(receipts)
    except Exception as error:
        if not is_receipt_stale(error):
            raise
        if len(receipts) == 1:
            log.info("a receipt is no longer valid", reason=str(error))
            return receipts
        return [stale for receipt in receipts for stale in _past_stale_receipts(call, [receipt])]


def _received(message: Any) -> Received | None:
    """Null for what did not arrive as it was sent: it is left alone, and comes again after its visibility timeout."""
    try:
        attributes = message["Attributes"]
        received = Received(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            sent_at_ms=int(attributes["SentTimestamp"]),
            first_received_at_ms=int(attributes["ApproximateFirstReceiveTimestamp"]),
            receive_count=int(attributes["ApproximateReceiveCount"]),
        )
    except (KeyError, ValueError) as error:
        log.warning("a message arrived damaged and is left to come again", reason=repr(error))
        return None
    return received if is_body_whole(message) else None


def is_body_whole(message: Any) -> bool:
    """Whether a message of a receive's answer has the body that its checksum says; one that has not is in the log.

    The SDK does not look. A server that gives no checksum is believed.
    """
    announced = message.get("MD5OfBody")
    if announced and hashlib.md5(message["Body"].encode(), usedforsecurity=False).hexdigest() != announced:
        log.warning(
            "a message arrived damaged and is left to come again", message_id=message["MessageId"], reason="MD5OfBody"
        )
        return False
    return True


def _refused(answer: Any, count: int) -> list[tuple[int, Any]]:
    """Of `count` entries those that were not done, each with what was answered for it: an answer may lack some."""
    done = {part.get("Id") for part in answer.get("Successful", ())}
    told = {part.get("Id"): part for part in answer.get("Failed", ())}
    return [(index, told.get(str(index), _NOT_TOLD)) for index in range(count) if str(index) not in done]


def _reason(failed: Any) -> str:
    return f"{failed.get('Code')}: {failed.get('Message')}"


def _is_gone(failed: Any) -> bool:
    return means_stale_receipt(str(failed.get("Code")), str(failed.get("Message")))


def _log_refused(what: str, refused: Sequence[tuple[int, Any]]) -> None:
    for _, part in refused:
        log.info("queue refused a part of a batch", call=what, reason=_reason(part))
