from __future__ import annotations

from typing import Any

import pytest
from boto3.exceptions import S3TransferFailedError
from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from stepbench import errors, failures, whole_replies
from tests.factories import make_message

ENDPOINT = "https://s3.eu-west-1.amazonaws.com"


def answer(code: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "as told"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "PutObject")


def invalid(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "InvalidParameterValue", "Message": message}}, "DeleteMessage")


RETRYABLE = [
    (errors.ExecutorDied("died", "upload"), "ExecutorDied"),
    (errors.StepTimeout("too long", "transform"), "StepTimeout"),
    (ConnectionResetError("reset"), "ConnectionResetError"),
    (BrokenPipeError("gone"), "BrokenPipeError"),
    (TimeoutError("slow"), "TimeoutError"),
    (sdk.EndpointConnectionError(endpoint_url=ENDPOINT), "EndpointConnectionError"),
    (sdk.ConnectTimeoutError(endpoint_url=ENDPOINT), "ConnectTimeoutError"),
    (sdk.ReadTimeoutError(endpoint_url=ENDPOINT), "ReadTimeoutError"),
    (sdk.ConnectionClosedError(endpoint_url=ENDPOINT), "ConnectionClosedError"),
    (sdk.SSLError(endpoint_url=ENDPOINT, error=OSError("handshake")), "SSLError"),
    (sdk.ProxyConnectionError(proxy_url=ENDPOINT), "ProxyConnectionError"),
    (sdk.HTTPClientError(error="broken"), "HTTPClientError"),
    (sdk.ResponseStreamingError(error="broken"), "ResponseStreamingError"),
    (sdk.IncompleteReadError(actual_bytes=1, expected_bytes=2), "IncompleteReadError"),
    (sdk.CredentialRetrievalError(provider="container-role", error_msg="busy"), "CredentialRetrievalError"),
    (S3TransferFailedError("broken"), "S3TransferFailedError"),
    (answer("SlowDown", 503), "SlowDown"),
    (answer("Throttling"), "Throttling"),
    (answer("RequestThrottled"), "RequestThrottled"),
    (answer("RequestTimeout"), "RequestTimeout"),
    (answer("ExpiredToken"), "ExpiredToken"),
    (answer("KMS.ThrottlingException"), "KMS.ThrottlingException"),
    (answer("InternalError", 500), "InternalError"),
    (answer("SomethingNew", 500), "SomethingNew"),
    (answer("502", 502), "502"),
    (answer("SomethingNew", 429), "SomethingNew"),
    (answer("OverLimit", 403), "OverLimit"),
    (answer("BadDigest"), "BadDigest"),
    (answer("NoSuchUpload", 404), "NoSuchUpload"),
    (answer(whole_replies.CODE, 500), whole_replies.CODE),
    (ResponseParserError("no XML"), "ResponseParserError"),
    (errors.S3Unreachable("socket is closed"), "S3Unreachable"),
    (errors.S3Answer("SlowDown", "slow down", "GetObject", 503), "SlowDown"),
    (errors.S3Answer("InternalError", "", "GetObject", 0), "InternalError"),
    (errors.S3Answer("503", "", "HeadObject", 503), "503"),
]
PERMANENT = [
    (answer("AccessDenied", 403), "AccessDenied"),
    (answer("NoSuchKey", 404), "NoSuchKey"),
    (answer("404", 404), "404"),
    (answer("NoSuchBucket", 404), "NoSuchBucket"),
    (answer("InvalidAccessKeyId", 403), "InvalidAccessKeyId"),
    (answer("SomethingNew"), "SomethingNew"),
    (errors.S3Answer("NoSuchKey", "", "GetObject", 404), "NoSuchKey"),
    (errors.S3Answer("AccessDenied", "Access Denied", "PutObject", 403), "AccessDenied"),
    (sdk.NoCredentialsError(), "NoCredentialsError"),
    (sdk.NoRegionError(), "NoRegionError"),
    (sdk.ParamValidationError(report="wrong"), "ParamValidationError"),
    (errors.PayloadDamaged("torn"), "PayloadDamaged"),
    (errors.ChecksumMismatch("a, b"), "ChecksumMismatch"),
    (errors.PayloadRefused("nested"), "PayloadRefused"),
    (errors.MessageRefused("no"), "MessageRefused"),
    (MemoryError(), "MemoryError"),
    (FileNotFoundError("gone"), "FileNotFoundError"),
    (KeyError("a bug"), "KeyError"),
]


@pytest.mark.parametrize(("error", "name"), RETRYABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_what_another_attempt_may_get_past_is_retryable(error: Exception, name: str) -> None:
    told = failures.describe(error, "upload")
    assert (told.retryable, told.error_class, told.phase) == (True, name, "upload")


@pytest.mark.parametrize(("error", "name"), PERMANENT, ids=lambda value: value if isinstance(value, str) else "")
def test_what_will_not_change_is_not_retried(error: Exception, name: str) -> None:
    told = failures.describe(error, None)
    assert (told.retryable, told.error_class, told.phase) == (False, name, None)


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), KeyError("a bug"), ValueError("a bug"), RuntimeError()])
def test_what_nobody_raises_on_purpose_is_a_bug_of_ours(error: Exception) -> None:
    assert failures.kind_of(error) == "ours"


@pytest.mark.parametrize(
    "error", [error for error, _ in PERMANENT if not isinstance(error, FileNotFoundError | KeyError)], ids=repr
)
def test_what_is_permanent_is_no_bug_of_ours(error: Exception) -> None:
    assert failures.kind_of(error) == "permanent"


@pytest.mark.parametrize(
    ("error", "stale"),
    [
        (answer("ReceiptHandleIsInvalid"), True),
        (answer("AWS.SimpleQueueService.MessageNotInflight"), True),
        (invalid("Value r for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."), True),
        (invalid("Value 50000 for parameter VisibilityTimeout is invalid."), False),
        (answer("AccessDenied", 403), False),
        (ValueError("ReceiptHandleIsInvalid"), False),
    ],
    ids=repr,
)
def test_a_receipt_that_is_no_longer_valid_is_told_from_other_errors(error: Exception, stale: bool) -> None:
    assert failures.is_receipt_stale(error) is stale


@pytest.mark.parametrize(
    "code",
    [
        *("SlowDown", "Throttling", "ThrottlingException", "RequestThrottled", "RequestLimitExceeded"),
        *("ServiceUnavailable", "InternalError", "ExpiredToken", "TooManyRequestsException", "RequestTimeout"),
    ],
)
def test_a_code_that_asks_for_patience_is_retryable_whatever_its_status(code: str) -> None:
    assert failures.is_retryable(answer(code, 400))


@pytest.mark.parametrize("name", sorted(failures.RETRYABLE_SDK_CLASSES))
def test_every_class_of_the_sdk_that_is_named_exists(name: str) -> None:
    import boto3.exceptions
    import botocore.parsers

    assert any(hasattr(module, name) for module in (sdk, boto3.exceptions, botocore.parsers))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (answer("SlowDown"), "SlowDown"),
        (sdk.NoCredentialsError(), None),
        (ValueError("no answer"), None),
        (ClientError({}, "PutObject"), None),
    ],
)
def test_only_answers_of_aws_have_a_code(error: Exception, code: str | None) -> None:
    assert failures.error_code(error) == code


@pytest.mark.parametrize(
    ("code", "gone"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", True),
        ("QueueDoesNotExist", True),
        ("AccessDenied", False),
        ("NoSuchBucket", False),
    ],
)
def test_a_queue_that_is_gone_is_told_from_other_errors(code: str, gone: bool) -> None:
    assert failures.is_queue_gone(answer(code)) is gone
    assert failures.is_queue_gone(ValueError(code)) is False


def test_a_completion_of_a_failed_attempt_has_its_identity_and_no_output() -> None:
    message = make_message(chain=3, step=2, attempt=4)

    completion = failures.failed(message, answer("SlowDown", 503), "download")

    assert completion.error is not None
    assert completion.ok is False
    assert (completion.output, completion.executor) == (None, None)
    assert {name: getattr(completion, name) for name in message.identity()} == message.identity()


def test_an_error_without_words_is_told_by_its_class() -> None:
    assert failures.describe(MemoryError(), None).message == "MemoryError()"


def test_a_long_error_is_cut_to_what_a_message_may_hold() -> None:
    assert len(failures.describe(ValueError("x" * 100_000), None).message) == failures.MAX_MESSAGE_CHARACTERS
