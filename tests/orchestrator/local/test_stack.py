from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.local.stack import MAX_RECEIVE_COUNT, Stack, embedded_stack
from stepbench.errors import EnvironmentRefused
from stepbench.settings import Settings
from tests.processes import alive_in_group, wait_until

OWNER = """
import json, sys
from orchestrator.local.stack import embedded_stack
from stepbench.settings import Settings

with embedded_stack(Settings()) as stack:
    stack.start_worker(2)
    stack.clients().s3.put_object(Bucket=stack.bucket, Key="large", Body=bytes(9_000_000))
    print(json.dumps({"groups": [child.process.pid for child in stack.children], **stack.environment}), flush=True)
    if sys.stdin.readline() == "fail\\n":
        raise ValueError
"""


def attributes(stack: Stack, url: str) -> dict[str, str]:
    sqs: Any = stack.clients().sqs
    answer: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return answer


def test_it_serves_a_bucket_and_a_steps_queue_with_a_dead_letter_queue() -> None:
    with embedded_stack(Settings(VISIBILITY_TIMEOUT="77")) as stack:
        clients = stack.clients()
        clients.s3.put_object(Bucket=stack.bucket, Key="key", Body=b"payload")
        clients.sqs.send_message(QueueUrl=stack.steps_queue_url, MessageBody="step")

        assert clients.s3.get_object(Bucket=stack.bucket, Key="key")["Body"].read() == b"payload"
        (received,) = clients.sqs.receive_message(QueueUrl=stack.steps_queue_url)["Messages"]
        assert received["Body"] == "step"
        steps = attributes(stack, stack.steps_queue_url)
        assert steps["VisibilityTimeout"] == "77"
        assert steps["SqsManagedSseEnabled"] == "true"
        assert json.loads(steps["RedrivePolicy"]) == {
            "deadLetterTargetArn": attributes(stack, stack.dead_letter_queue_url)["QueueArn"],
            "maxReceiveCount": MAX_RECEIVE_COUNT,
        }


def test_a_message_received_too_often_is_found_in_the_dead_letter_queue() -> None:
    with embedded_stack(Settings()) as stack:
        sqs = stack.clients().sqs
        sqs.send_message(QueueUrl=stack.steps_queue_url, MessageBody="poison")
        for _ in range(MAX_RECEIVE_COUNT):
            assert sqs.receive_message(QueueUrl=stack.steps_queue_url, VisibilityTimeout=0)["Messages"]
        assert "Messages" not in sqs.receive_message(QueueUrl=stack.steps_queue_url)
        (dead,) = sqs.receive_message(QueueUrl=stack.dead_letter_queue_url)["Messages"]
        assert dead["Body"] == "poison"


def test_its_settings_point_to_it_and_keep_everything_else() -> None:
    with embedded_stack(Settings(STEPS="3", AWS_PROFILE="production", AWS_ENDPOINT_URL="https://elsewhere")) as stack:
        assert stack.settings.steps == 3
        assert stack.settings.bucket == stack.bucket
        assert stack.settings.steps_queue_url == stack.steps_queue_url
        assert stack.settings.profile is None
        assert stack.settings.endpoint_url is None


def test_its_environment_is_enough_for_another_process() -> None:
    with embedded_stack(Settings()) as stack:
        program = (
            "import boto3, os\n"
            "sqs = boto3.client('sqs', region_name=os.environ['AWS_REGION'])\n"
            "sqs.send_message(QueueUrl=os.environ['ORCH_STEPS_QUEUE_URL'], MessageBody='from outside')\n"
            "boto3.client('s3').put_object(Bucket=os.environ['ORCH_BUCKET'], Key='outside', Body=b'')\n"
        )
        subprocess.run([sys.executable, "-c", program], env={**os.environ, **stack.environment}, check=True)

        clients = stack.clients()
        (received,) = clients.sqs.receive_message(QueueUrl=stack.steps_queue_url)["Messages"]
        assert received["Body"] == "from outside"
        assert clients.s3.head_object(Bucket=stack.bucket, Key="outside")["ContentLength"] == 0


@pytest.mark.parametrize(
    "users",
    [
        {
            "AWS_PROFILE": "no-such-profile",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
            "AWS_USE_FIPS_ENDPOINT": "true",
            "AWS_USE_DUALSTACK_ENDPOINT": "true",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
        },
        {
            "AWS_PROFILE": "",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
            "AWS_CONFIG_FILE": "config",
            "AWS_SHARED_CREDENTIALS_FILE": "config",
            "AWS_RETRY_MODE": "no-such-mode",
            "AWS_MAX_ATTEMPTS": "many",
        },
    ],
    ids=["profile, endpoints and proxy", "keys, files and retries"],
)
def test_nothing_of_the_users_sdk_leaks_into_it(users: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config").write_text("[default]\nendpoint_url = http://127.0.0.1:9\naws_session_token = token\nregion = x\n")
    settings = Settings()
    for name, value in users.items():
        monkeypatch.setenv(name, value)

    with embedded_stack(settings) as stack:
        stack.clients().s3.put_object(Bucket=stack.bucket, Key="key", Body=b"")


def test_a_bare_client_of_the_sdk_is_not_ours() -> None:
    # What the test above would show if the stack's clients were made like everybody's.
    with pytest.raises(Exception, match="could not be found"):
        boto3.Session(profile_name="no-such-profile")


def test_an_emulator_that_cannot_start_is_told_with_its_own_words(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise ModuleNotFoundError('No module named moto', name='moto')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))

    with pytest.raises(EnvironmentRefused, match=r"pip install 'stepbench\[local\]'"), embedded_stack(Settings()):
        pass


def test_an_emulator_that_dies_is_noticed() -> None:
    with embedded_stack(Settings()) as stack:
        stack.check()
        stack.children[1].process.kill()
        stack.children[1].process.wait()
        with pytest.raises(EnvironmentRefused, match="the emulator of S3 was killed by SIGKILL"):
            stack.check()


@pytest.mark.parametrize("end", ["normal", "exception", "SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_is_left_when_its_owner_ends_by(end: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(scratch)},
        text=True,
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        told = json.loads(owner.stdout.readline())
        assert all(alive_in_group(group) for group in told["groups"])
        if end.startswith("SIG"):
            owner.send_signal(getattr(signal, end))
        else:
            owner.stdin.write("fail\n" if end == "exception" else "end\n")
            owner.stdin.flush()
        owner.wait(60)

    for group in told["groups"]:
        wait_until(lambda: alive_in_group(group) == [], f"group {group} is empty")  # noqa: B023 # called at once
    for service in ("S3", "SQS"):
        port = int(told[f"AWS_ENDPOINT_URL_{service}"].rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
    assert list(scratch.iterdir()) == []
