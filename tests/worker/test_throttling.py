from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from orchestrator.local.stack import KEYS
from stepbench.aws import AwsConfig, Clients
from worker.throttling import Throttling

TRIES = 3


class Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self._body]


@pytest.mark.parametrize(
    ("code", "status", "count"),
    [
        ("RequestThrottled", 400, TRIES),
        ("ThrottlingException", 400, TRIES),
        ("AnythingElse", 429, TRIES),
        ("ServiceUnavailable", 503, 0),
        ("AccessDenied", 403, 0),
    ],
)
def test_every_answer_that_asks_to_send_less_is_counted_also_those_that_the_sdk_retries(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int, count: int
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    throttling = Throttling()
    client: Any = Clients(
        AwsConfig(region="eu-west-1", endpoint_url="http://127.0.0.1:9", max_attempts=TRIES), keys=KEYS
    ).sqs
    answer = AWSResponse("http://127.0.0.1:9", status, HTTPHeaders(), Raw(b'{"__type": "x#%s"}' % code.encode()))
    client.meta.events.register("before-send.sqs", lambda **_: answer)
    client.meta.events.register("response-received.sqs", throttling.hear)
    with pytest.raises(ClientError):
        client.get_queue_attributes(QueueUrl="http://127.0.0.1:9/1/q")
    assert throttling.take() == count
    assert throttling.take() == 0
