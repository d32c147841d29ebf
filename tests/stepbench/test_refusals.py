from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from stepbench.refusals import refusal, refused_action
from stepbench.settings import Settings

SETTINGS = Settings.model_construct(
    bucket="payloads", steps_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
)
RESULTS = "arn:aws:sqs:eu-west-1:123456789012:stepbench-results-20260101"


def answer(operation: str, code: str = "AccessDenied", message: str = "Access Denied") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def worded(action: str, resource: str) -> str:
    return (
        f"User: arn:aws:iam::123456789012:user/someone is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("PutObject", "s3:PutObject"),
        ("CreateMultipartUpload", "s3:PutObject"),
        ("UploadPart", "s3:PutObject"),
        ("HeadObject", "s3:GetObject"),
        ("DeleteObjects", "s3:DeleteObject"),
        ("ListObjectsV2", "s3:ListBucket"),
        ("SendMessageBatch", "sqs:SendMessage"),
        ("ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
        ("CreateQueue", "sqs:CreateQueue"),
    ],
)
def test_the_missing_action_is_told_by_the_call(operation: str, action: str) -> None:
    assert refused_action(answer(operation)) == action


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "403"])
def test_every_way_in_which_aws_says_no_is_known(code: str) -> None:
    assert refused_action(answer("HeadObject", code)) == "s3:GetObject"


def test_the_action_that_the_answer_names_goes_before_the_call() -> None:
    message = worded("kms:GenerateDataKey", "arn:aws:kms:eu-west-1:123456789012:key/1")

    assert refused_action(answer("PutObject", message=message)) == "kms:GenerateDataKey"


@pytest.mark.parametrize("error", [answer("GetObject", "NoSuchKey"), NoCredentialsError(), ValueError("no")])
def test_other_errors_are_no_refusals(error: BaseException) -> None:
    assert refused_action(error) is None
    assert refusal(error, "worker", SETTINGS) is None


def test_the_sentence_names_the_action_and_the_statement_that_allows_it() -> None:
    assert refusal(answer("PutObject"), "worker", SETTINGS) == (
        "s3:PutObject was refused; the policy statement that allows it: "
        '{"Sid": "WritePayloads", "Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"], '
        '"Resource": "arn:aws:s3:::payloads/orchestration-bench/runs/*"}'
    )


def test_the_statement_is_the_one_for_the_resource_that_the_answer_names() -> None:
    error = answer("ReceiveMessage", message=worded("sqs:receivemessage", RESULTS))
    sentence = refusal(error, "orchestrator", SETTINGS)

    assert sentence is not None
    assert sentence.startswith("sqs:ReceiveMessage was refused")
    assert '"Sid": "TakeCompletions"' in sentence


def test_an_action_that_the_role_needs_no_leave_for_is_named_alone() -> None:
    assert refusal(answer("ListBuckets"), "worker", SETTINGS) == "ListBuckets was refused"
