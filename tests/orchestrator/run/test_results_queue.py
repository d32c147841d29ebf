from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.run import results_queue
from tests.doubles import queue_gone, refused

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/results"


class Client:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def delete_queue(self, **_: Any) -> None:
        raise self._error


def test_a_queue_that_is_gone_is_deleted() -> None:
    client: Any = Client(queue_gone())
    results_queue.delete(client, URL)


def test_any_other_refusal_is_raised() -> None:
    client: Any = Client(refused("AccessDenied", "DeleteQueue", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        results_queue.delete(client, URL)
