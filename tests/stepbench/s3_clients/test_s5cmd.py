"""What is s5cmd's alone; all else is in the contract."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from shutil import which
from typing import Any

import pytest

from stepbench.aws import AwsConfig
from stepbench.errors import S3Answer, S3Unreachable, StepbenchError
from stepbench.s3_clients import Encryption, TransferOptions, s5cmd
from stepbench.s3_clients._s5cmd_trace import Trace

SECRETS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "shh", "AWS_SESSION_TOKEN": "hush"}
Started = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Commands and environments of what was started."""
    for name, value in {**SECRETS, "AWS_ENDPOINT_URL": "http://elsewhere", "HTTPS_PROXY": "http://p"}.items():
        monkeypatch.setenv(name, value)
    seen: Started = []
    popen = subprocess.Popen

    def watched(command: list[str], **how: Any) -> Any:
        seen.append((command, how["env"]))
        return popen(command, **how)

    monkeypatch.setattr("stepbench.s3_clients.s5cmd.subprocess.Popen", watched)
    return seen


def test_secrets_stand_in_the_childs_environment_and_nowhere_else(
    started: Started,
) -> None:
    config = AwsConfig(region="eu-west-1", endpoint_url="http://127.0.0.1:1", max_attempts=1)
    client = s5cmd.make(config, TransferOptions(part_bytes=2**23, part_concurrency=7))
    with pytest.raises(S3Unreachable) as raised:
        client.put("payloads", "a key", b"x", Encryption(sse="kms", kms_key_id="alias/k"))
    [(command, environment)] = started
    assert {name: environment[name] for name in SECRETS} == SECRETS
    assert environment["S3_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["HTTPS_PROXY"] == os.environ["HTTPS_PROXY"]
    assert "AWS_ENDPOINT_URL" not in environment
    for text in (*command, str(raised.value)):
        assert not any(secret in text for secret in SECRETS.values())
    for word in ("--part-size=8", "--concurrency=7", "--retry-count=0", "--sse=aws:kms", "--sse-kms-key-id=alias/k"):
        assert word in command


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("NoSuchKey: The specified key does not exist. status code: 404, request id: R, host id:", S3Answer),
        ("MultipartUpload: upload multipart failed caused by: SlowDown: no status code: 503, request id: R", S3Answer),
        ("RequestError: send request failed caused by: dial tcp: connection refused", S3Unreachable),
        ("unexpected EOF", S3Unreachable),
        ("write /dev/shm/x: no space left on device", StepbenchError),
        ("", StepbenchError),
    ],
)
def test_what_it_said_at_last_tells_what_went_wrong(said: str, kind: type[Exception]) -> None:
    with pytest.raises(StepbenchError) as raised:
        s5cmd._raise(said, 1, "GetObject")
    assert type(raised.value) is kind


def test_a_program_that_was_killed_is_worth_another_try() -> None:
    with pytest.raises(S3Unreachable, match="ended with -9"):
        s5cmd._raise("", -9, "GetObject")


def test_lines_that_nobody_knows_are_left_out() -> None:
    trace = Trace()
    for line in (b"", b"\xff", b"[]", b"1", b'{"message": 1}', json.dumps({"message": "DEBUG: Response"}).encode()):
        trace.take(line)
    assert trace.facts().requests == 0


MOVING = """
import sys
from stepbench.aws import AwsConfig
from stepbench.s3_clients import TransferOptions, make
config = AwsConfig(region="us-east-1", endpoint_url=sys.argv[1])
client = make("s5cmd", config, TransferOptions(part_bytes=2**23, part_concurrency=1))
client.get("bucket", "key", 10)
"""
PATIENCE_SECONDS = 60.0
"""Less than s5cmd has with a server that does not answer."""


@pytest.mark.skipif(which("setpriv") is None, reason="setpriv of util-linux is not installed")
def test_the_program_ends_with_the_process_that_started_it_even_where_that_is_killed() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [sys.executable, "-c", MOVING, f"http://127.0.0.1:{silent.getsockname()[1]}"]
        moving = subprocess.Popen(command, env={**os.environ, **keys})
        connection, _ = silent.accept()
        assert connection.recv(65_536).startswith(b"HEAD /bucket/key")

        moving.kill()
        moving.wait()

        connection.settimeout(PATIENCE_SECONDS)
        assert connection.recv(65_536) == b"", "the program's end, for nobody has answered it"
        connection.close()
