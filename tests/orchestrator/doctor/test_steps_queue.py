from __future__ import annotations

import json

import pytest

from orchestrator.doctor.steps_queue import judged, refuses_plain_http
from stepbench.settings import of_values

TLS_ONLY = {"Effect": "Deny", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
REDRIVE = {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": 5}
SOUND = {
    "VisibilityTimeout": "120",
    "DelaySeconds": "0",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "20",
    "SqsManagedSseEnabled": "true",
    "RedrivePolicy": json.dumps(REDRIVE),
    "Policy": json.dumps({"Statement": [TLS_ONLY]}),
    "ApproximateNumberOfMessages": "3",
    "ApproximateNumberOfMessagesNotVisible": "1",
}


def states(attributes: dict[str, str], **settings: str) -> dict[str, str]:
    """The checks that are not ok."""
    found = judged(attributes, of_values(settings))
    return {check.name: check.state for check in found if check.state != "ok"}


def test_a_queue_as_terraform_makes_it_is_well() -> None:
    assert states(SOUND) == {}


@pytest.mark.parametrize(
    ("changes", "settings", "name", "state", "told"),
    [
        ({"FifoQueue": "true"}, {}, "Steps queue", "wrong", "standard"),
        ({"DelaySeconds": "5"}, {}, "Steps queue", "wrong", "DelaySeconds"),
        ({"VisibilityTimeout": "30"}, {}, "Visibility", "note", "queue's own 30 s"),
        (
            {"VisibilityTimeout": "900"},
            {"VISIBILITY_TIMEOUT": "900", "STEP_TIMEOUT": "60"},
            "Visibility",
            "note",
            "60 s",
        ),
        ({"RedrivePolicy": ""}, {}, "Redrive", "wrong", "RedrivePolicy"),
        ({"RedrivePolicy": json.dumps(REDRIVE | {"maxReceiveCount": 4})}, {}, "Redrive", "wrong", "maxReceiveCount"),
        ({"ReceiveMessageWaitTimeSeconds": "0"}, {}, "Long polling", "note", "ReceiveMessageWaitTimeSeconds"),
        ({"MessageRetentionPeriod": "3600"}, {}, "Retention", "wrong", "--step-expiry (STEP_EXPIRY)"),
        ({"SqsManagedSseEnabled": "false"}, {}, "Queue security", "note", "SqsManagedSseEnabled"),
        ({"Policy": ""}, {}, "Queue security", "note", "aws:SecureTransport"),
    ],
)
def test_what_is_not_well_is_told_with_what_mends_it(
    changes: dict[str, str], settings: dict[str, str], name: str, state: str, told: str
) -> None:
    assert states(SOUND | changes, **settings) == {name: state}
    (check,) = [check for check in judged(SOUND | changes, of_values(settings)) if check.name == name]
    assert told in f"{check.found} {check.mend}"


def test_a_queue_with_a_key_and_without_a_fixed_list_of_statements_is_well_too() -> None:
    attributes = SOUND | {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/mine"}
    assert states(attributes | {"Policy": json.dumps({"Statement": TLS_ONLY})}) == {}


@pytest.mark.parametrize(
    "statement", [TLS_ONLY | {"Effect": "Allow"}, TLS_ONLY | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}]
)
def test_a_policy_that_only_looks_like_it_refuses_no_plain_http(statement: dict[str, object]) -> None:
    assert not refuses_plain_http(json.dumps({"Statement": [statement]}))
