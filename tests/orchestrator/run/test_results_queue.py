from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.run import results_queue
from stepbench.errors import EnvironmentRefused
from tests.doubles import queue_gone, refused

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/results"


class Client:
    """Answers `create_queue` with these URLs, one after the other."""

    def __init__(self, *urls: str, error: Exception | None = None) -> None:
        self.urls = [*urls]
        self.deleted: list[str] = []
        self._error = error

    def create_queue(self, **_: Any) -> dict[str, str]:
        return {"QueueUrl": self.urls.pop(0)}

    def delete_queue(self, QueueUrl: str) -> None:  # noqa: N803 # AWS's own name
        self.deleted.append(QueueUrl)
        if self._error is not None:
            raise self._error


def create(client: Any) -> None:
    results_queue.create(client, URL, 60)


def test_a_queue_that_comes_up_elsewhere_is_deleted_and_told() -> None:
    other = URL.replace("123456789012", "210987654321")
    client = Client(other, other)
    with pytest.raises(EnvironmentRefused, match="another account"):
        create(client)
    assert client.deleted == [other]


def test_an_answer_that_was_damaged_is_asked_for_again() -> None:
    client = Client(URL.replace("results", "resultq"), URL)
    create(client)
    assert client.deleted == []


def test_a_queue_that_is_gone_is_deleted() -> None:
    client: Any = Client(error=queue_gone())
    results_queue.delete(client, URL)


def test_any_other_refusal_is_raised() -> None:
    client: Any = Client(error=refused("AccessDenied", "DeleteQueue", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        results_queue.delete(client, URL)
