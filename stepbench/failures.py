"""Errors classified, once and here: worth another attempt, for good, or a bug of ours.

Retryable is what another attempt may get past: the network, throttling, a server's own trouble, a reply that was cut or
damaged (`stepbench.whole_replies`), an executor that was killed. Permanent is what will not change: no access, no
object, data that is damaged where it lies or refused. Everything unknown is ours, and not retried: a bug does not go
away by itself.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from stepbench.errors import ExecutorLost, PartlyRefused, S3Unreachable, StepbenchError
from stepbench.messages import Completion, StepError, StepMessage
from stepbench.samples import Phase

MAX_MESSAGE_CHARACTERS = 2_000
MAX_CLASS_CHARACTERS = 200
# A message with any other character is refused whole, each time that it is sent.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NOT_FOR_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

RETRYABLE_TYPES: tuple[type[BaseException], ...] = (
    ExecutorLost,
    PartlyRefused,
    S3Unreachable,
    ConnectionError,
    TimeoutError,
)

# The SDK's classes by name: whoever only asks for a classification need not import the SDK.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
RETRYABLE_SDK_CLASSES = frozenset(
    {
        "ConnectionError",
        "HTTPClientError",
        "EndpointConnectionError",
        "ConnectionClosedError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "IncompleteReadError",
        "ResponseStreamingError",
        "RetriesExceededError",
        "S3TransferFailedError",
        "CredentialRetrievalError",
        "ResponseParserError",
        "FlexibleChecksumError",
    }
)
# They ask to send less.
THROTTLING_CODES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "BandwidthLimitExceeded",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "OverLimit",
    }
)
RETRYABLE_CODES = THROTTLING_CODES | frozenset(
    {
        "RequestTimeout",
        "RequestTimeoutException",
        "PriorRequestNotComplete",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InternalError",
        "ServiceUnavailable",
        # A Lambda function that is being made or changed.
        "ResourceConflictException",
        # What was sent did not arrive as it was sent.
        "IncompleteBody",
        "BadDigest",
        "XAmzContentSHA256Mismatch",
        # Completed by a try whose answer did not arrive; another attempt begins an upload of its own.
        "NoSuchUpload",
    }
)
TOO_MANY_REQUESTS = 429
PERMANENT_TYPES: tuple[type[BaseException], ...] = (StepbenchError, MemoryError)
QUEUE_GONE_CODES = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_RECEIPT_CODES = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight"})

Kind = Literal["retryable", "permanent", "ours"]


def failed(message: StepMessage, error: BaseException, phase: Phase | None) -> Completion:
    """The completion of an attempt that ended with `error` in `phase`."""
    return Completion(**message.identity(), error=describe(error, phase))


def describe(error: BaseException, phase: Phase | None) -> StepError:
    """The error as a completion carries it."""
    return StepError(
        error_class=_sendable(error_class(error))[:MAX_CLASS_CHARACTERS],
        message=_sendable(str(error) or repr(error))[:MAX_MESSAGE_CHARACTERS],
        retryable=is_retryable(error),
        phase=phase,
    )


def _sendable(text: str) -> str:
    return _NOT_FOR_SQS.sub("\N{REPLACEMENT CHARACTER}", text)


def error_class(error: BaseException) -> str:
    """AWS's own error code where there is one, else the exception's class."""
    return error_code(error) or type(error).__name__


def is_retryable(error: BaseException) -> bool:
    """Whether another attempt may succeed where this one did not."""
    return kind_of(error) == "retryable"


def kind_of(error: BaseException) -> Kind:
    """Worth another attempt, for good, or a bug of ours."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, RETRYABLE_TYPES) or names & RETRYABLE_SDK_CLASSES:
        return "retryable"
    if code := error_code(error):
        status = _http_status(error)
        passing = code in RETRYABLE_CODES or status >= 500 or status == TOO_MANY_REQUESTS
        return "retryable" if passing else "permanent"
    return "permanent" if isinstance(error, PERMANENT_TYPES) or "BotoCoreError" in names else "ours"


def is_throttling(error_class: str) -> bool:
    """Whether an error of this class, as `error_class` and a completion tell it, asks to send less."""
    return error_class in THROTTLING_CODES


def is_queue_gone(error: BaseException) -> bool:
    """The queue that was spoken to does not exist (any more)."""
    return error_code(error) in QUEUE_GONE_CODES


def is_receipt_stale(error: BaseException) -> bool:
    """The message that a receipt stood for is gone, or has been received again since."""
    return means_stale_receipt(error_code(error) or "", str(error))


def means_stale_receipt(code: str, message: str) -> bool:
    """As `is_receipt_stale`, of what the answer to a batch tells of one entry."""
    name = code.rpartition(".")[2]
    # An extension beyond twelve hours is answered with InvalidParameterValue too: that message is not gone yet.
    return name in _RECEIPT_CODES or (name == "InvalidParameterValue" and "ReceiptHandle" in message)


def error_code(error: BaseException) -> str | None:
    """The code in AWS's answer; null for errors that are no answer of AWS."""
    code = _response(error).get("Error", {}).get("Code")
    return None if code is None else str(code)


def _http_status(error: BaseException) -> int:
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _response(error: BaseException) -> dict[str, Any]:
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}
