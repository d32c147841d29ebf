from __future__ import annotations

import json
import subprocess
import sys

import pytest

BUCKET = ("--bucket", "payloads")
QUEUE = ("--steps-queue-url", "https://sqs.eu-west-1.amazonaws.com/123456789012/steps")


def policy(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator", "policy", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("role", ["worker", "orchestrator"])
def test_it_prints_a_policy_document(role: str) -> None:
    answer = policy("--role", role, *BUCKET, *QUEUE)

    assert (answer.returncode, answer.stderr) == (0, "")
    document = json.loads(answer.stdout)
    assert document["Version"] == "2012-10-17"
    assert document["Statement"]


def test_encryption_without_a_key_of_ones_own_has_no_statement_but_a_remark() -> None:
    answer = policy("--role", "worker", *BUCKET, *QUEUE, "--sse", "kms")

    assert answer.returncode == 0
    assert "kms" not in answer.stdout
    assert "--kms-key-id (KMS_KEY_ID)" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_key_that_is_named_has_a_statement_and_no_remark() -> None:
    answer = policy("--role", "worker", *BUCKET, *QUEUE, "--sse", "kms", "--kms-key-id", "alias/mine")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert "alias/mine" in answer.stdout


def test_without_a_bucket_it_says_what_to_set() -> None:
    answer = policy("--role", "worker")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--bucket (ORCH_BUCKET)" in answer.stderr


def test_its_roles_are_two() -> None:
    answer = policy("--role", "admin", *BUCKET, *QUEUE)

    assert answer.returncode == 2
    assert "worker" in answer.stderr
