from __future__ import annotations

from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from stepbench import aws_errors
from stepbench.errors import EnvironmentRefused
from stepbench.settings import Settings

SETTINGS = Settings.model_construct(
    bucket="payloads", steps_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
)


def answer(code: str, operation: str = "PutObject") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "as AWS told it"}}
    return ClientError(response, operation)


def sentence(error: BaseException) -> str | None:
    return aws_errors.sentence_for(error, "orchestrator", SETTINGS)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("NoSuchBucket", "the bucket does not exist; --bucket (ORCH_BUCKET)"),
        ("404", "the bucket does not exist"),
        ("301", "the bucket is in another region; --aws-region (AWS_REGION)"),
        ("PermanentRedirect", "the bucket is in another region"),
        ("AWS.SimpleQueueService.NonExistentQueue", "the queue does not exist; --steps-queue-url (ORCH_STEPS_QUEUE_U"),
        ("QueueDoesNotExist", "--results-queue-url (ORCH_RESULTS_QUEUE_URL)"),
        ("InvalidAccessKeyId", "AWS does not accept the credentials; --aws-profile (AWS_PROFILE)"),
        ("SignatureDoesNotMatch", "AWS does not accept the credentials"),
        ("ExpiredToken", "AWS does not accept the credentials"),
    ],
)
def test_an_answer_that_is_known_is_told_with_the_setting_that_mends_it(code: str, told: str) -> None:
    text = sentence(answer(code))
    assert text is not None
    assert told in text
    assert "as AWS told it" in text


@pytest.mark.parametrize("code", ["301", "302", "307"])
def test_a_redirect_of_a_server_that_was_named_is_no_matter_of_regions(code: str) -> None:
    named = SETTINGS.model_copy(update={"s3_endpoint_url": "http://store.example"})
    text = aws_errors.sentence_for(answer(code), "orchestrator", named)
    assert text is not None
    assert "redirect" in text
    assert "AWS_ENDPOINT_URL" in text
    assert "region" not in text


def test_an_answer_that_is_not_known_is_told_in_awss_own_words() -> None:
    text = sentence(answer("SomethingNew"))
    assert text is not None
    assert "SomethingNew" in text
    assert "as AWS told it" in text


def test_a_refused_permission_is_told_with_the_statement_that_allows_it() -> None:
    text = sentence(answer("AccessDenied"))
    assert text is not None
    assert text.startswith("s3:PutObject was refused; the policy statement that allows it: {")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (sdk.NoCredentialsError(), "AWS_ACCESS_KEY_ID or another source of the SDK's"),
        (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "AWS_SECRET_ACCESS_KEY"),
        (sdk.CredentialRetrievalError(provider="sso", error_msg="log in"), "--aws-profile (AWS_PROFILE)"),
        (sdk.EndpointConnectionError(endpoint_url="http://localhost:9"), "http://localhost:9"),
        (sdk.EndpointConnectionError(endpoint_url="http://localhost:9"), "--aws-endpoint-url (AWS_ENDPOINT_URL)"),
        (sdk.ConnectTimeoutError(endpoint_url="http://localhost:9"), "is the network up"),
    ],
)
def test_what_keeps_aws_from_being_asked_is_told_with_what_to_look_at(error: Exception, told: str) -> None:
    text = sentence(error)
    assert text is not None
    assert told in text
    assert "\n" not in text


def test_the_endpoint_of_one_service_is_named_by_its_own_setting() -> None:
    settings = Settings.model_construct(s3_endpoint_url="http://localhost:9", sqs_endpoint_url="http://localhost:8")
    text = aws_errors.sentence_for(
        sdk.EndpointConnectionError(endpoint_url="http://localhost:9/payloads/key"), "worker", settings
    )
    assert text is not None
    assert "--aws-endpoint-url-s3 (AWS_ENDPOINT_URL_S3) right?" in text


def test_missing_credentials_are_not_called_refused() -> None:
    text = sentence(sdk.NoCredentialsError())
    assert text is not None
    assert "does not accept" not in text


def test_the_answer_inside_the_transfer_managers_error_is_the_one_that_is_told() -> None:
    try:
        try:
            raise answer("AccessDenied")
        except ClientError as error:
            raise S3UploadFailedError(f"Failed to upload: {error}")  # noqa: B904 # as boto3 does
    except S3UploadFailedError as error:
        text = sentence(error)
    assert text is not None
    assert text.startswith("s3:PutObject was refused")


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), RuntimeError()])
def test_a_bug_has_no_sentence_and_passes_as_it_is(error: Exception) -> None:
    assert sentence(error) is None
    with pytest.raises(type(error)) as passed, aws_errors.worded("worker", SETTINGS):
        raise error
    assert passed.value is error


def test_what_the_sdk_raises_inside_comes_out_with_its_sentence_and_its_cause() -> None:
    cause = answer("NoSuchBucket")
    refused = pytest.raises(EnvironmentRefused, match="the bucket does not exist")
    with refused as refusal, aws_errors.worded("orchestrator", SETTINGS):
        raise cause
    assert refusal.value.__cause__ is cause
