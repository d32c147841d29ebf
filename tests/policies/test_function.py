"""Runs whose steps a Lambda function does, with a user for the function and one for the orchestrator.

The service that stands for Lambda permits what a policy allows; S3 and SQS are the account's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lambda_service.service import ARN, LambdaService, lambda_service
from tests.policies.place import IN_PARTS, SMALL, START, Place, failures, sentence_in, without_action
from tests.policies.taken_away import FAILS_A_STEP, TO_ASK, TO_INVOKE, Allowed

pytestmark = pytest.mark.infra

LAMBDA = {"CHANNEL": "lambda", "ORCH_STEPS_QUEUE_URL": "", "ORCH_LAMBDA_FUNCTION": ARN}
HANDLER = (sys.executable, "-P", "-m", "awslambdaric", "worker.lambda_handler.handle")


@pytest.fixture
def function(place: Place) -> Iterator[LambdaService]:
    """It may do what a worker of such a run may."""
    allow(place, "worker", place.worker.name)
    variables = {**os.environ, **place.worker.environment, **place.settings, "ORCH_STEPS_QUEUE_URL": ""}
    sqs = place.account.client("sqs")
    with lambda_service(
        HANDLER, variables, place.folder, sqs=sqs, dead_letters_url=place.dead_letters_url, environments=1
    ) as running:
        yield running


def allow(place: Place, role: str, user: str, without: Allowed | None = None) -> dict[str, Any]:
    """Gives a user what `policy` prints for a run of a function; the document."""
    document = place.policy(role, **LAMBDA)
    if without:
        document = without_action(without, document)
    place.account.allow(user, document)
    return document


def permit(place: Place, function: LambdaService, role: str, without: Allowed | None = None) -> dict[str, Any]:
    """The orchestrator has that role's policy, with the service as with S3 and SQS."""
    document = allow(place, role, place.orchestrator.name, without)
    statements = [statement for statement in document["Statement"] if statement["Resource"] == ARN]
    function.permitted = {action for statement in statements for action in statement["Action"]}
    return document


def settings(function: LambdaService) -> dict[str, str]:
    return {**LAMBDA, "AWS_ENDPOINT_URL_LAMBDA": function.endpoint}


def test_function_and_orchestrator_need_no_more_than_their_policies_and_no_steps_queue(
    place: Place, function: LambdaService
) -> None:
    document = permit(place, function, "orchestrator")

    ended = place.run_as(place.orchestrator, *START, *IN_PARTS, **settings(function))

    assert ended.returncode == 0, ended.stderr + function.log.read_text()
    assert json.loads(ended.stdout)["counts"]["samples"] == 2
    assert place.settings["ORCH_STEPS_QUEUE_URL"].rpartition("/")[2] not in json.dumps(document)


@pytest.mark.parametrize("without", TO_INVOKE, ids=" ".join)
def test_without_it_the_orchestrator_is_refused_and_says_what_would_allow_it(
    place: Place, function: LambdaService, without: Allowed
) -> None:
    permit(place, function, "orchestrator", without)

    ended = place.run_as(place.orchestrator, *START, *SMALL, **settings(function))

    assert ended.returncode == 3, ended.stderr
    statement = sentence_in(ended.stderr, without[1])
    assert (statement["Sid"], statement["Resource"]) == ("InvokeFunction", ARN)


@pytest.mark.parametrize("without", FAILS_A_STEP, ids=" ".join)
def test_without_it_the_function_fails_its_step_and_says_why(
    place: Place, function: LambdaService, without: Allowed
) -> None:
    permit(place, function, "orchestrator")
    allow(place, "worker", place.worker.name, without)

    ended = place.run_as(place.orchestrator, *START, *SMALL, **settings(function))

    assert ended.returncode == 1, ended.stderr
    (failure,) = failures()
    assert failure["error_class"] in ("AccessDenied", "403")


def test_a_doctor_of_a_function_needs_no_more_than_the_printed_policy(place: Place, function: LambdaService) -> None:
    permit(place, function, "operator")

    answer = place.run_as(place.orchestrator, "doctor", "--json", "--wait", "60", **settings(function))

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("without", TO_ASK, ids=" ".join)
def test_without_it_a_doctor_of_a_function_says_what_would_allow_it(
    place: Place, function: LambdaService, without: Allowed
) -> None:
    permit(place, function, "operator", without)

    answer = place.run_as(place.orchestrator, "doctor", "--json", "--wait", "1", **settings(function))

    checks = {check["name"]: check for check in json.loads(answer.stdout)["checks"]}
    told = checks[TO_ASK[without]]
    assert f"{without[1]} was refused" in f"{told['found']}; {told['mend']}"
