from __future__ import annotations

import re
from typing import Any

import pytest

from stepbench.fleets import Fleet
from stepbench.iam_grants import GRANTS, ROLES
from stepbench.iam_policy import policy, statement_for
from stepbench.settings import Settings

STEPS_QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
STEPS_ARN = "arn:aws:sqs:eu-west-1:123456789012:steps"
FIXED_QUEUE = "https://sqs.eu-central-1.amazonaws.com/210987654321/results"
FIXED_ARN = "arn:aws:sqs:eu-central-1:210987654321:results"
RESULTS_ARN = "arn:aws:sqs:eu-west-1:123456789012:stepbench-results-*"


def configured(**settings: Any) -> Settings:
    return Settings.model_construct(**{"bucket": "payloads", "steps_queue_url": STEPS_QUEUE, **settings})


def allowed(document: dict[str, Any]) -> dict[str, set[str]]:
    """Resource → actions."""
    found: dict[str, set[str]] = {}
    for statement in document["Statement"]:
        found.setdefault(statement["Resource"], set()).update(statement["Action"])
    return found


def test_a_worker_is_allowed_this_and_no_more() -> None:
    assert allowed(policy("worker", configured())) == {
        "arn:aws:s3:::payloads/orchestration-bench/runs/*": {
            "s3:GetObject",
            "s3:PutObject",
            "s3:PutObjectTagging",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
        },
        STEPS_ARN: {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"},
        RESULTS_ARN: {"sqs:SendMessage"},
    }


def test_the_orchestrator_is_allowed_this_and_no_more() -> None:
    assert allowed(policy("orchestrator", configured())) == {
        "arn:aws:s3:::payloads/orchestration-bench/runs/*": {
            "s3:PutObject",
            "s3:PutObjectTagging",
            "s3:AbortMultipartUpload",
        },
        STEPS_ARN: {"sqs:SendMessage", "sqs:GetQueueAttributes"},
        RESULTS_ARN: {
            "sqs:CreateQueue",
            "sqs:GetQueueAttributes",
            "sqs:DeleteQueue",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
        },
    }


@pytest.mark.parametrize("role", ["worker", "orchestrator"])
def test_payloads_without_a_tag_need_no_leave_to_tag(role: Any) -> None:
    assert statement_for("s3:PutObjectTagging", role, configured(payload_tag=False)) is None


ON_ECS = {"steps_queue_url": STEPS_QUEUE, "cluster": "stack", "service": "stack-small"}


@pytest.mark.parametrize("named", [{}, {"fleet": "small"}])
def test_with_a_fleet_on_ecs_its_service_may_be_started_and_its_tasks_protected(named: dict[str, str]) -> None:
    settings = configured(fleets={"small": Fleet.model_validate(ON_ECS)}, **named)
    here = "arn:aws:ecs:eu-west-1:123456789012"

    assert allowed(policy("orchestrator", settings))[f"{here}:service/stack/stack-small"] == {
        "ecs:DescribeServices",
        "ecs:UpdateService",
    }
    assert allowed(policy("worker", settings))[f"{here}:task/stack/*"] == {"ecs:UpdateTaskProtection"}


@pytest.mark.parametrize("facts", [{"service": None}, {"cluster": None}, {"steps_queue_url": FIXED_QUEUE}], ids=str)
@pytest.mark.parametrize("role", ["worker", "orchestrator"])
def test_without_one_nothing_is_asked_of_ecs(role: Any, facts: dict[str, Any]) -> None:
    settings = configured(fleets={"small": Fleet.model_validate(ON_ECS | facts)})

    assert "ecs:" not in str(policy(role, settings))


def test_cleaning_up_needs_to_list_and_delete_below_the_prefix_alone() -> None:
    statements = {each["Sid"]: each for each in policy("orchestrator", configured(cleanup=True))["Statement"]}

    assert statements["ListObjects"]["Resource"] == "arn:aws:s3:::payloads"
    assert statements["ListObjects"]["Condition"] == {"StringLike": {"s3:prefix": "orchestration-bench/runs/*"}}
    assert statements["DeleteObjects"]["Resource"] == "arn:aws:s3:::payloads/orchestration-bench/runs/*"


def test_with_a_fixed_results_queue_none_is_made_or_deleted() -> None:
    fixed = configured(results_queue_url=FIXED_QUEUE)

    assert allowed(policy("worker", fixed))[FIXED_ARN] == {"sqs:SendMessage"}
    assert allowed(policy("orchestrator", fixed))[FIXED_ARN] == {
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
    }
    assert RESULTS_ARN not in allowed(policy("orchestrator", fixed))


@pytest.mark.parametrize(
    ("key", "resource", "condition"),
    [
        ("1234-abcd", "arn:aws:kms:eu-west-1:123456789012:key/1234-abcd", None),
        ("arn:aws:kms:eu-west-1:9:key/1234-abcd", "arn:aws:kms:eu-west-1:9:key/1234-abcd", None),
        ("alias/mine", "arn:aws:kms:eu-west-1:123456789012:key/*", "alias/mine"),
        ("arn:aws:kms:eu-west-1:123456789012:alias/mine", "arn:aws:kms:eu-west-1:123456789012:key/*", "alias/mine"),
    ],
)
@pytest.mark.parametrize("role", ["worker", "orchestrator"])
def test_a_key_of_ones_own_needs_leave_to_be_used(role: Any, key: str, resource: str, condition: str | None) -> None:
    statement = statement_for("kms:Decrypt", role, configured(sse="kms", kms_key_id=key))

    assert statement is not None
    assert statement["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]
    assert statement["Resource"] == resource
    expected = condition and {"ForAnyValue:StringEquals": {"kms:ResourceAliases": condition}}
    assert statement.get("Condition") == expected


@pytest.mark.parametrize("settings", [{}, {"sse": "s3"}, {"sse": "kms"}])
@pytest.mark.parametrize("role", ["worker", "orchestrator"])
def test_without_a_key_of_ones_own_no_leave_is_asked_for(role: Any, settings: dict[str, str]) -> None:
    assert statement_for("kms:Decrypt", role, configured(**settings)) is None


@pytest.mark.parametrize(
    ("url", "region", "arn"),
    [
        ("https://sqs.us-gov-west-1.amazonaws.com/1/q", None, "arn:aws-us-gov:sqs:us-gov-west-1:1:q"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", None, "arn:aws-cn:sqs:cn-north-1:1:q"),
        ("https://eu-west-1.queue.amazonaws.com/1/q", None, "arn:aws:sqs:eu-west-1:1:q"),
        ("https://vpce-1.sqs.ap-southeast-2.vpce.amazonaws.com/1/q", None, "arn:aws:sqs:ap-southeast-2:1:q"),
        ("https://sqs-fips.us-east-2.amazonaws.com/1/q", None, "arn:aws:sqs:us-east-2:1:q"),
        ("http://127.0.0.1:4566/1/q", "eu-north-1", "arn:aws:sqs:eu-north-1:1:q"),
        ("http://127.0.0.1:4566/1/q", None, "arn:aws:sqs:*:1:q"),
    ],
)
def test_region_and_account_are_those_of_the_steps_queue(url: str, region: str | None, arn: str) -> None:
    statement = statement_for("sqs:ReceiveMessage", "worker", configured(steps_queue_url=url, region=region))

    assert statement is not None
    assert statement["Resource"] == arn


@pytest.mark.parametrize(
    ("prefix", "below"),
    [
        ("team/{date}/{run_id}/", "team/"),
        ("fixed", "fixed/"),
        ("odd*name/${RUN_ID}/", "odd${*}name/"),
    ],
)
def test_objects_are_those_below_the_literal_part_of_the_prefix(prefix: str, below: str) -> None:
    statement = statement_for("s3:GetObject", "worker", configured(prefix=prefix))

    assert statement is not None
    assert statement["Resource"] == f"arn:aws:s3:::payloads/{below}*"


def test_a_statement_is_found_whatever_the_case_of_its_action() -> None:
    statement = statement_for("sqs:sendmessage", "orchestrator", configured())

    assert statement is not None
    assert statement["Sid"] == "SendSteps"


@pytest.mark.parametrize(
    ("resource", "sid"),
    [(None, "SendSteps"), (STEPS_ARN, "SendSteps"), (FIXED_ARN, "ShareResultsQueue")],
)
def test_of_two_statements_with_an_action_the_one_for_the_resource_is_found(resource: str | None, sid: str) -> None:
    fixed = configured(results_queue_url=FIXED_QUEUE)
    statement = statement_for("sqs:GetQueueAttributes", "orchestrator", fixed, resource)

    assert statement is not None
    assert statement["Sid"] == sid


def test_an_action_that_the_role_does_not_need_has_no_statement() -> None:
    assert statement_for("s3:DeleteBucket", "orchestrator", configured()) is None


def test_an_operator_takes_from_the_dead_letter_queue_alone() -> None:
    document = policy("operator", configured(), "steps-dead")

    assert allowed(document)[STEPS_ARN] == {"sqs:GetQueueAttributes", "sqs:SendMessage"}
    assert allowed(document)[STEPS_ARN + "-dead"] == {
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
    }


@pytest.mark.parametrize(
    ("action", "resource", "sid"),
    [
        ("sqs:ReceiveMessage", STEPS_ARN + "-dead", "TakeDeadLetters"),
        ("sqs:GetQueueAttributes", STEPS_ARN, "SendBack"),
        ("sqs:GetQueueAttributes", RESULTS_ARN.replace("*", "r1"), "SeeResultsQueues"),
        ("sqs:GetQueueAttributes", STEPS_ARN + "-dead", "TakeDeadLetters"),
    ],
)
def test_the_dead_letter_queue_is_known_by_its_refusal(action: str, resource: str, sid: str) -> None:
    statement = statement_for(action, "operator", configured(), resource)

    assert statement is not None
    assert statement["Sid"] == sid
    assert statement["Resource"] in (resource, RESULTS_ARN)


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_has_a_name_and_every_action_is_awss_and_has_a_reason(role: Any) -> None:
    names = [grant.sid for grant in GRANTS[role]]

    assert len(names) == len(set(names))
    for grant in GRANTS[role]:
        assert re.fullmatch("[A-Za-z0-9]+", grant.sid)
        for action, reason in grant.reasons.items():
            assert re.fullmatch("(s3|sqs|kms|ecs|lambda):[A-Z][A-Za-z]+", action)
            assert not action.endswith("Batch")
            assert reason


FUNCTION = "arn:aws:lambda:eu-central-1:210987654321:function:steps"
BESIDE_THE_FUNCTION = "arn:aws:sqs:eu-central-1:210987654321:stepbench-results-*"
INVOKES = {"lambda:InvokeFunction", "lambda:GetFunctionConfiguration"}


def with_function(**settings: Any) -> Settings:
    return configured(**{"steps_queue_url": None, "channel": "lambda", "lambda_function": FUNCTION, **settings})


@pytest.mark.parametrize("role", ["orchestrator", "operator"])
def test_who_has_steps_done_by_a_function_may_invoke_it_and_needs_no_steps_queue(role: Any) -> None:
    document = allowed(policy(role, with_function()))

    assert document[FUNCTION] == INVOKES
    assert BESIDE_THE_FUNCTION in document
    assert not [resource for resource in document if resource.startswith("arn:aws:sqs") and "results" not in resource]


def test_a_function_is_allowed_what_a_worker_is_but_for_taking_steps() -> None:
    worker, function = (allowed(policy("worker", settings)) for settings in (configured(), with_function()))

    assert function == {**without(worker, STEPS_ARN, RESULTS_ARN), BESIDE_THE_FUNCTION: worker[RESULTS_ARN]}


def without(document: dict[str, Any], *resources: str) -> dict[str, Any]:
    return {resource: actions for resource, actions in document.items() if resource not in resources}


def test_the_dead_letters_of_a_function_are_looked_for_where_their_queue_is_named() -> None:
    assert allowed(policy("orchestrator", with_function(), "dead"))["arn:aws:sqs:eu-central-1:210987654321:dead"] == {
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
    }
