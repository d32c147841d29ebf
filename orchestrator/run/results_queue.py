"""A run's own results queue: made at its start, deleted at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# As long as SQS keeps anything: a run may be resumed days later.
RETENTION_SECONDS = 1_209_600
LONG_POLL_SECONDS = 20


def create(client: SQSClient, url: str, visibility_seconds: int) -> None:
    """The queue that `url` will name. Raises the SDK's error."""
    client.create_queue(
        QueueName=url.rpartition("/")[2],
        Attributes={
            "VisibilityTimeout": str(visibility_seconds),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "ReceiveMessageWaitTimeSeconds": str(LONG_POLL_SECONDS),
            "SqsManagedSseEnabled": "true",
        },
    )


def delete(client: SQSClient, url: str) -> None:
    """Raises the SDK's error."""
    client.delete_queue(QueueUrl=url)
