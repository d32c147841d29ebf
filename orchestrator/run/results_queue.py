"""A run's own results queue: made at its start, deleted at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepbench.errors import EnvironmentRefused
from stepbench.failures import is_queue_gone

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# As long as SQS keeps anything: a run may be resumed days later.
RETENTION_SECONDS = 1_209_600
LONG_POLL_SECONDS = 20
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
USABLE_AFTER_SECONDS = 1.0
MAX_VISIBILITY_SECONDS = 60
"""Long against the moment between receiving a completion and deleting it."""


def visibility_seconds(stall_timeout_seconds: float) -> int:
    """No longer than STALL_TIMEOUT: what a dead orchestrator had received comes again before its step is given up."""
    return min(MAX_VISIBILITY_SECONDS, max(1, int(stall_timeout_seconds)))


def create(client: SQSClient, url: str, visibility_seconds: int) -> None:
    """The queue that `url` names. Raises the SDK's error, EnvironmentRefused where it comes up in another account."""
    made = _create(client, url, visibility_seconds)
    if _account_and_name(made) != _account_and_name(url):
        made = _create(client, url, visibility_seconds)  # the same queue again: the answer may have been damaged
    if _account_and_name(made) != _account_and_name(url):
        delete(client, made)
        raise EnvironmentRefused(
            f"the run's results queue came up as {made}, not as {url}: the steps queue is another account's; "
            "--results-queue-url (ORCH_RESULTS_QUEUE_URL) names a queue of that account"
        )


def _create(client: SQSClient, url: str, visibility_seconds: int) -> str:
    return client.create_queue(
        QueueName=url.rpartition("/")[2],
        Attributes={
            "VisibilityTimeout": str(visibility_seconds),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "ReceiveMessageWaitTimeSeconds": str(LONG_POLL_SECONDS),
            "SqsManagedSseEnabled": "true",
        },
    )["QueueUrl"]


def _account_and_name(url: str) -> list[str]:
    return url.split("/")[-2:]


def delete(client: SQSClient, url: str) -> None:
    """Raises the SDK's error, but not where the queue is gone: a deletion whose answer was lost is tried again."""
    try:
        client.delete_queue(QueueUrl=url)
    except Exception as error:
        if not is_queue_gone(error):
            raise
