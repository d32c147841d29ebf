"""The image as AWS Lambda starts it: another command, a user that it does not know, a read-only file system."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.container.containers import AS_IN_A_FLEET, Engine
from tests.container.surroundings import Surroundings
from tests.embedded import clients_at
from tests.lambda_service.service import ARN, LambdaService, lambda_service
from tests.runs.sums import check_sums

pytestmark = pytest.mark.infra

COMMAND = ("awslambdaric", "worker.lambda_handler.handle")
"""Behind the image's entry point; infra/modules/lambda says the same."""
OF_THE_RUNTIME = ("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
SOME_USER = "993:990"


@pytest.fixture
def function(surroundings: Surroundings, engine: Engine, image: str) -> Iterator[LambdaService]:
    name = f"stepbench-test-{uuid.uuid4().hex[:12]}"
    variables = {key: value for key, value in surroundings.variables.items() if key != "ORCH_STEPS_QUEUE_URL"}
    given = [f"--env={variable}" for variable in (*variables, *OF_THE_RUNTIME)]
    run = ["podman", "run", "--rm", "--name", name, *AS_IN_A_FLEET, f"--user={SOME_USER}", *given, image, *COMMAND]
    sqs = clients_at(surroundings.variables["AWS_ENDPOINT_URL_SQS"]).sqs
    dead_letters_url = sqs.create_queue(QueueName=f"dead-{uuid.uuid4().hex}")["QueueUrl"]
    named = {"sqs": sqs, "dead_letters_url": dead_letters_url, "environments": 1}
    try:
        with lambda_service(run, {**engine.environment, **variables}, surroundings.folder, **named) as service:
            yield service
    finally:
        engine.run("podman", "rm", "--force", "--time", "0", name, check=False)


def test_a_function_of_the_image_does_the_steps_of_a_run(surroundings: Surroundings, function: LambdaService) -> None:
    surroundings.variables |= {"ORCH_LAMBDA_FUNCTION": ARN, "AWS_ENDPOINT_URL_LAMBDA": function.endpoint}

    outcome = surroundings.start("--channel=lambda", "--steps=3", "--serializer=arrow").outcome()

    assert outcome.exit_code == 0, outcome.stderr + function.log.read_text()
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 1), (2, 1), (3, 1)]
    assert {sample["queue_wait_ns"] for sample in outcome.samples} == {None}
    assert function.wrong == []
    check_sums(outcome.lines)
