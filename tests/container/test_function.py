"""The image as AWS Lambda starts it: another command, another user, nothing to write to but /tmp, no shared memory."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest

from scripts.docs.tree import ROOT
from tests.container.containers import AS_IN_A_FLEET, Engine
from tests.container.surroundings import Surroundings
from tests.embedded import clients_at
from tests.lambda_service.service import ARN, lambda_service

pytestmark = pytest.mark.infra

LAMBDAS_USER = "993:990"
OF_LAMBDA = (*AS_IN_A_FLEET, f"--user={LAMBDAS_USER}", "--ipc=none")
VARIABLES = ("ORCH_BUCKET", "ORCH_PREFIX", "ORCH_RESULTS_QUEUE_PREFIX")


def test_the_image_does_steps_as_a_function(
    engine: Engine, image: str, surroundings: Surroundings, tmp_path: Path
) -> None:
    name = f"stepbench-test-{uuid.uuid4().hex[:12]}"
    entry_point, command = started_with()
    sqs = clients_at(surroundings.variables["AWS_ENDPOINT_URL_SQS"]).sqs
    told = {key: value for key, value in surroundings.variables.items() if key.startswith("AWS_") or key in VARIABLES}
    passed = [f"--env={variable}" for variable in (*told, "LOG_FORMAT", "AWS_LAMBDA_RUNTIME_API")]
    started = ("podman", "run", "--rm", "--name", name, *OF_LAMBDA, *passed, "--entrypoint", json.dumps(entry_point))
    try:
        with lambda_service(
            (*started, image, *command),
            {**engine.environment, **told, "LOG_FORMAT": "json"},
            tmp_path,
            sqs=sqs,
            dead_letters_url=sqs.create_queue(QueueName="function-dead")["QueueUrl"],
            environments=1,
        ) as function:
            at = (f"--lambda-function={ARN}", f"--aws-endpoint-url-lambda={function.endpoint}")
            outcome = surroundings.start("--channel=lambda", "--steps=3", *at).outcome()
    finally:
        engine.run("podman", "rm", "--force", "--time", "0", name, check=False)

    assert outcome.exit_code == 0, outcome.stderr + function.log.read_text()
    assert [sample["step"] for sample in outcome.samples] == [1, 2, 3]
    assert (outcome.failures, function.wrong) == ([], [])


def started_with() -> tuple[list[str], list[str]]:
    """Entry point and command that infra/ makes the function with."""
    text = (ROOT / "infra" / "modules" / "lambda" / "main.tf").read_text(encoding="utf-8")
    found = [re.search(rf"^\s*{name}\s*=\s*(\[.*\])$", text, re.MULTILINE) for name in ("entry_point", "command")]
    entry_point, command = (json.loads(each[1]) for each in found if each)
    return entry_point, command
