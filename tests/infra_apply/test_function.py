"""A stack with a Lambda function: made in two steps around its image, it does a run's steps, and is removed whole.

The handler runs as Lambda would start it: told what the function's configuration tells it, with the rights of the
function's role, behind the service that stands for Lambda's invocations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra_apply.stack import Stack, inventory, stack_of
from tests.lambda_service import service
from tests.runs.programs import Outcome, RunProgram

pytestmark = pytest.mark.infra

ARN = "arn:aws:lambda:us-east-1:123456789012:function:functions-function"
DEAD_LETTERS = "arn:aws:sqs:us-east-1:123456789012:functions-function-dead"


def test_a_function_is_made_once_its_image_is_there_does_five_steps_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stack_of("with-a-function", tmp_path) as stack:
        before = inventory(stack.account)
        env_file = tmp_path / ".env"
        first = deployed(stack, env_file)
        assert "this scripts/deploy once more, which makes the function" in first.stdout
        assert inventory(stack.account)["functions"] == set()
        assert "ORCH_LAMBDA_FUNCTION" not in env_file.read_text()

        push_stand_in(stack, "functions", "latest-amd64")
        second = deployed(stack, env_file)

        assert "once more" not in second.stdout
        assert inventory(stack.account)["functions"] == {ARN}
        assert f"ORCH_LAMBDA_FUNCTION={ARN}\n" in env_file.read_text()
        assert stack.changes() == []
        what_lambda_was_told(stack)
        what_no_policy_allows_is_refused(stack)
        made = inventory(stack.account)
        monkeypatch.setattr(service, "ARN", ARN)
        outcome = run_of(stack, tmp_path)
        assert outcome.exit_code == 0, outcome.stderr
        assert [sample["step"] for sample in outcome.samples] == [1, 2, 3, 4, 5]
        assert outcome.summary["choices"]["channel"] == ["lambda"]
        assert inventory(stack.account) == made, "a run leaves none of its queues"
        stack.destroy()

        assert inventory(stack.account) == before


def deployed(stack: Stack, env_file: Path) -> subprocess.CompletedProcess[str]:
    done = stack.deploy(env_file)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def push_stand_in(stack: Stack, repository: str, tag: str) -> None:
    """What scripts/push-image would have pushed; nobody starts it here."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 2,
            "digest": f"sha256:{'0' * 64}",
        },
        "layers": [],
    }
    stack.account.client("ecr").put_image(
        repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest), imageManifestMediaType=""
    )


def configuration(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.account.client("lambda").get_function_configuration(FunctionName=ARN)
    return found


def what_lambda_was_told(stack: Stack) -> None:
    functions, told = stack.account.client("lambda"), configuration(stack)
    assert functions.get_function(FunctionName=ARN)["Code"]["ImageUri"].endswith("/functions:latest-amd64")
    assert functions.get_function(FunctionName=ARN)["Concurrency"] == {"ReservedConcurrentExecutions": 4}
    assert (told["Timeout"], told["MemorySize"], told["Architectures"]) == (900, 1769, ["x86_64"])
    assert told["DeadLetterConfig"] == {"TargetArn": DEAD_LETTERS}
    assert told["LoggingConfig"]["LogGroup"] == stack.outputs()["log_group_name"]
    asynchronously = functions.get_function_event_invoke_config(FunctionName=ARN)
    assert (asynchronously["MaximumRetryAttempts"], asynchronously["MaximumEventAgeInSeconds"]) == (0, 21600)
    repository = json.loads(stack.account.client("ecr").get_repository_policy(repositoryName="functions")["policyText"])
    assert ARN in json.dumps(repository)


def what_no_policy_allows_is_refused(stack: Stack) -> None:
    """Otherwise the run would not prove that the policies are enough."""
    function = stack.account.role(configuration(stack)["Role"])
    s3, sqs, functions = (stack.account.client_of(function, each) for each in ("s3", "sqs", "lambda"))
    steps = stack.outputs()["steps_queue_urls"]["small"]
    beyond: list[tuple[Any, dict[str, Any]]] = [
        (s3.put_object, {"Bucket": stack.outputs()["bucket"], "Key": "elsewhere/x", "Body": b""}),
        (sqs.receive_message, {"QueueUrl": steps}),
        (sqs.send_message, {"QueueUrl": steps, "MessageBody": "x"}),
        (functions.invoke, {"FunctionName": ARN, "InvocationType": "Event", "Payload": b"{}"}),
    ]
    for call, arguments in beyond:
        with pytest.raises(ClientError, match="AccessDenied"):
            call(**arguments)
    orchestrator, _ = stack.task("orchestrator")
    asked = stack.account.client_of(orchestrator, "lambda").get_function_configuration(FunctionName=ARN)
    assert asked["FunctionArn"] == ARN


def run_of(stack: Stack, folder: Path) -> Outcome:
    """`start --channel lambda` where `.env` was written, as the orchestrator's role."""
    told = configuration(stack)
    user, its = stack.account.role(told["Role"]), told["Environment"]["Variables"]
    dead_letters = stack.account.client("sqs").get_queue_url(QueueName=DEAD_LETTERS.rpartition(":")[2])["QueueUrl"]
    command = (sys.executable, "-P", *told["ImageConfigResponse"]["ImageConfig"]["EntryPoint"][1:])
    with service.lambda_service(
        (*command, *told["ImageConfigResponse"]["ImageConfig"]["Command"]),
        {"PATH": os.environ["PATH"], "HOME": str(folder), **its, **user.environment},
        folder,
        sqs=stack.account.client("sqs"),
        dead_letters_url=dead_letters,
    ) as function:
        variables = {**os.environ, **stack.task("orchestrator")[0].environment}
        variables["AWS_ENDPOINT_URL_LAMBDA"] = function.endpoint
        run = RunProgram(
            ["orchestrator", "start", "--channel", "lambda", "--steps", "5", "--payload-mb", "0.05", "--json"],
            folder,
            variables,
        )
        try:
            return run.outcome()
        finally:
            run.kill()
