"""Dead-letter queues: a steps queue's by its redrive policy, a function's by its configuration; looked through."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from stepbench.errors import EnvironmentRefused
from stepbench.lambda_functions import Function
from stepbench.queues import MAX_BATCH_MESSAGES
from stepbench.queues.sqs import SqsQueue, is_body_whole

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from stepbench.settings import Settings

LOOK_SECONDS = 60
"""A message that was seen stays hidden for so long, so that it is not seen again before the last one is."""
GLANCE_SECONDS = 10
"""As LOOK_SECONDS, for a look in passing; where there are too many letters for that time, it sees the first of them."""
WAIT_SECONDS = 2
"""Long enough for SQS to ask all of its servers for messages: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Redrive:
    """Where a steps queue's dead letters go."""

    steps_queue_arn: str
    url: str
    """Of the dead-letter queue."""
    max_receives: int
    """After so many receives a message goes there."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of a dead-letter queue, as one receive handed it out."""

    id: str
    receipt: str
    body: str
    group: str | None
    source_arn: str | None
    """The queue that it came from, where the server tells; null also for a message that was put there by hand."""
    sent_at_ms: int
    """When it was sent to the queue that it came from, in Unix time."""
    receive_count: int
    """All receives since, those of looking at it included."""


def find(client: SQSClient, steps_queue_url: str) -> Redrive:
    """Raises the SDK's error, and EnvironmentRefused for a steps queue without a dead-letter queue."""
    attributes = client.get_queue_attributes(QueueUrl=steps_queue_url, AttributeNames=["QueueArn", "RedrivePolicy"])[
        "Attributes"
    ]
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    arn = policy.get("deadLetterTargetArn")
    if not arn:
        raise EnvironmentRefused(
            f"the steps queue {steps_queue_url} has no dead-letter queue, so messages that nobody can do come back to "
            "its workers until they expire: make a second standard queue beside it and set the steps queue's "
            'RedrivePolicy to {"deadLetterTargetArn": "ARN OF THE SECOND QUEUE", "maxReceiveCount": 5}'
        )
    # It is in the account and the region of the steps queue; SQS admits no other.
    url = f"{steps_queue_url.rpartition('/')[0]}/{arn.rpartition(':')[2]}"
    return Redrive(attributes["QueueArn"], url, int(policy["maxReceiveCount"]))


def of_function(function: str, configuration: Any, settings: Settings) -> str | None:
    """The URL of a Lambda function's, by what GetFunctionConfiguration tells; null where it has none in SQS."""
    arn = configuration.get("DeadLetterConfig", {}).get("TargetArn", "")
    if ":sqs:" not in arn:
        return None
    folder = Function.of(function).queue_folder(settings.sqs_endpoint_url or settings.endpoint_url)
    return f"{folder}/{arn.rpartition(':')[2]}"


def bodies_of(client: SQSClient, steps_queue_url: str) -> list[str]:
    """As `bodies`, of a steps queue's dead-letter queue. Raises EnvironmentRefused too, where it has none."""
    return bodies(client, find(client, steps_queue_url).url)


def bodies(client: SQSClient, url: str) -> list[str]:
    """Of all that is in a dead-letter queue, in a look that hides it from others for seconds at most.

    Raises the SDK's error.
    """
    with Look(client, url, GLANCE_SECONDS) as look:
        return [letter.body for batch in look for letter in batch]


class Look:
    """One pass through a dead-letter queue, batch by batch. What was not deleted is handed back when it is left."""

    def __init__(self, client: SQSClient, url: str, look_seconds: int = LOOK_SECONDS) -> None:
        """`look_seconds`: a message that was seen stays hidden for so long, unless it is handed back before."""
        self._client = client
        self._url = url
        self._look_seconds = look_seconds
        self._queue = SqsQueue(client, url, look_seconds)
        self._held: dict[str, str] = {}
        """Receipts of what is to be handed back, by message id."""
        self._seen: set[str] = set()
        self.cut_short = False
        """It took so long that hidden messages came back before the last was seen: there may be more."""

    def __enter__(self) -> Look:
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.hide(list(self._held.values()), 0)

    def __iter__(self) -> Iterator[list[DeadLetter]]:
        """Each message once, until there is no other."""
        while messages := self._receive():
            found = [letter for message in messages if (letter := _letter(message)) is not None]
            if not found:
                continue
            self._held |= {letter.id: letter.receipt for letter in found}
            new = [letter for letter in found if letter.id not in self._seen]
            if not new:
                self.cut_short = True
                return
            self._seen |= {letter.id for letter in new}
            yield new

    def delete(self, letters: Sequence[DeadLetter]) -> None:
        """For good. Only what this pass has just yielded: a receipt that has run out deletes nothing."""
        self._queue.delete([letter.receipt for letter in letters])
        for letter in letters:
            self._held.pop(letter.id, None)

    def _receive(self) -> Sequence[Any]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=MAX_BATCH_MESSAGES,
            WaitTimeSeconds=WAIT_SECONDS,
            VisibilityTimeout=self._look_seconds,
            MessageSystemAttributeNames=[
                "SentTimestamp",
                "ApproximateReceiveCount",
                "MessageGroupId",
                "DeadLetterQueueSourceArn",
            ],
        )
        return answer.get("Messages", ())


def _letter(message: Any) -> DeadLetter | None:
    """Null for what did not arrive as it was sent: sent back like that, it would be lost."""
    try:
        return _whole(message) if is_body_whole(message) else None
    except (KeyError, ValueError) as error:
        log.warning("a message arrived damaged and is left to come again", reason=repr(error))
        return None


def _whole(message: Any) -> DeadLetter:
    attributes = message["Attributes"]
    return DeadLetter(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes.get("MessageGroupId"),
        source_arn=attributes.get("DeadLetterQueueSourceArn"),
        sent_at_ms=int(attributes["SentTimestamp"]),
        receive_count=int(attributes["ApproximateReceiveCount"]),
    )
