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


@pytest.mark.parametrize("words", [["worker"], ["orchestrator"], ["operator", "--dead-letter-queue", "steps-dead"]])
def test_it_prints_a_policy_document(words: list[str]) -> None:
    answer = policy("--role", *words, *BUCKET, *QUEUE)

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


def test_an_operators_policy_asks_for_the_queue_that_no_setting_names() -> None:
    answer = policy("--role", "operator", *BUCKET, *QUEUE)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--dead-letter-queue" in answer.stderr


def test_a_role_that_is_none_is_refused() -> None:
    answer = policy("--role", "admin", *BUCKET, *QUEUE)

    assert answer.returncode == 2
    assert "worker" in answer.stderr


DIRECT = ("--channel", "direct")


def test_without_queues_the_orchestrators_policy_needs_none_to_be_named_and_has_what_its_executors_need() -> None:
    answer = policy("--role", "orchestrator", *BUCKET, *DIRECT, "--dead-letter-queue", "steps-dead")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert "sqs:" not in answer.stdout
    assert "s3:GetObject" in answer.stdout
    assert "arn:aws:s3:::payloads/orchestration-bench/runs/*" in answer.stdout


def test_without_queues_there_is_no_worker_to_have_a_policy() -> None:
    answer = policy("--role", "worker", *BUCKET, *QUEUE, *DIRECT)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--channel direct (CHANNEL) has no workers; --role orchestrator" in answer.stderr
