"""Stand-ins for queues that do what tests ask of them, and errors as AWS words them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError, EndpointConnectionError

from stepbench.queues import Outgoing, Received
from stepbench.queues.memory import MemoryQueue

LONG_SECONDS = 3_600


def refused(code: str, operation: str = "SendMessage", status: int = 400) -> ClientError:
    """An error that AWS answered."""
    return ClientError(
        {"Error": {"Code": code, "Message": "told by AWS"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # the fields that are read
        operation,
    )


def queue_gone() -> ClientError:
    return refused("AWS.SimpleQueueService.NonExistentQueue")


def outage() -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url="https://sqs.example")


class WatchedQueue(MemoryQueue):
    """A queue in memory that tells what was asked of it, and fails as often as it is told to."""

    def __init__(self, name: str = "queue", told: list[tuple[str, str, int]] | None = None) -> None:
        super().__init__(visibility_seconds=LONG_SECONDS)
        self.name = name
        self.told = told if told is not None else []
        """(name, call, how many) of every call, also those that failed; may be shared with other queues."""
        self.faults: dict[str, deque[Exception]] = defaultdict(deque)
        """Errors of the next calls, by call."""
        self.before: Callable[[str], None] = lambda call: None

    def _called(self, call: str, count: int) -> None:
        self.told.append((self.name, call, count))
        self.before(call)
        if self.faults[call]:
            raise self.faults[call].popleft()

    def send(self, messages: Sequence[Outgoing]) -> None:
        self._called("send", len(messages))
        super().send(messages)

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        self._called("receive", most)
        return super().receive(most, 0)

    def delete(self, receipts: Sequence[str]) -> None:
        self._called("delete", len(receipts))
        super().delete(receipts)

    def hide(self, receipts: Sequence[str], seconds: int) -> list[str]:
        self._called(f"hide for {seconds} s", len(receipts))
        return super().hide(receipts, seconds)

    def bodies(self) -> list[str]:
        """Of all messages, hidden or not."""
        return [message.body for message in self._messages]
