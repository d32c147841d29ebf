from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from structlog.testing import capture_logs

from stepbench.aws import AwsConfig, Clients


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def receive(url: str) -> None:
    config = AwsConfig(region="eu-west-1", sqs_endpoint_url=url, read_timeout_seconds=0.05, max_attempts=2)
    Clients(config, keys=("key", "secret")).sqs.receive_message(QueueUrl=f"{url}/1/queue")


def test_each_try_that_gets_no_answer_is_told_while_the_sdk_goes_on_trying(silent_url: str) -> None:
    with capture_logs() as lines, pytest.raises(ReadTimeoutError):
        receive(silent_url)

    assert [(line["log_level"], line["call"]) for line in lines] == [("warning", "sqs.ReceiveMessage")] * 2
    assert all("Read timeout" in line["error"] for line in lines)


def test_a_connection_that_is_refused_is_left_to_whoever_made_the_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with capture_logs() as lines, pytest.raises(EndpointConnectionError):
        receive(url)

    assert lines == []
