from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, EndpointConnectionError

from orchestrator.local.stack import KEYS
from stepbench.aws import AwsConfig, Clients
from stepbench.sqs_calls import Counted

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
def test_every_try_is_counted_and_every_answer_that_asks_to_send_less_also_of_those_that_the_sdk_retries(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int, count: int
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    clients = Clients(AwsConfig(region="eu-west-1", endpoint_url="http://127.0.0.1:9", max_attempts=TRIES), keys=KEYS)
    client: Any = clients.sqs
    answer = AWSResponse("http://127.0.0.1:9", status, HTTPHeaders(), Raw(b'{"__type": "x#%s"}' % code.encode()))
    client.meta.events.register("before-send.sqs", lambda **_: answer)
    with pytest.raises(ClientError):
        client.get_queue_attributes(QueueUrl="http://127.0.0.1:9/1/q")
    tries = 1 if code == "AccessDenied" else TRIES
    assert clients.sqs_calls.take() == Counted(requests=tries, throttled=count)
    assert clients.sqs_calls.take() == Counted()


def test_a_try_that_gets_no_answer_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    clients = Clients(AwsConfig(region="eu-west-1", endpoint_url="http://127.0.0.1:9", max_attempts=TRIES), keys=KEYS)
    with pytest.raises(EndpointConnectionError):
        clients.sqs.get_queue_attributes(QueueUrl="http://127.0.0.1:9/1/q")
    assert clients.sqs_calls.take() == Counted(requests=TRIES)
