"""What went wrong with AWS, as one sentence for a person: the reason, and the setting or right that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stepbench import refusals
from stepbench.errors import EnvironmentRefused, S3Answer, S3Unreachable
from stepbench.failures import error_code
from stepbench.iam_grants import Role
from stepbench.settings import Settings, flag_of, variables_of

_BUCKET = "the bucket does not exist; --bucket (ORCH_BUCKET) names it"
_REGION = "the bucket is in another region; --aws-region (AWS_REGION) names its region"
_QUEUE = (
    "the queue does not exist; --steps-queue-url (ORCH_STEPS_QUEUE_URL) or --results-queue-url "
    "(ORCH_RESULTS_QUEUE_URL) names it; a run's own results queue is made again by `resume`"
)
_FUNCTION = "the function does not exist; --lambda-function (ORCH_LAMBDA_FUNCTION) names it"
_SOURCES = "--aws-profile (AWS_PROFILE), AWS_ACCESS_KEY_ID or another source of the SDK's gives them"
_CREDENTIALS = f"AWS does not accept the credentials; {_SOURCES}"
_ELSEWHERE = (
    "the endpoint answers with a redirect, which is not followed; --aws-endpoint-url (AWS_ENDPOINT_URL), or that of "
    "one service alone, must name the place that it leads to"
)
_ENDPOINTS_OF_ONE_SERVICE = ("s3_endpoint_url", "sqs_endpoint_url", "lambda_endpoint_url")
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
_BY_CODE = {
    "NoSuchBucket": _BUCKET,
    "404": _BUCKET,
    "301": _REGION,
    "PermanentRedirect": _REGION,
    "AWS.SimpleQueueService.NonExistentQueue": _QUEUE,
    "QueueDoesNotExist": _QUEUE,
    "InvalidAddress": _QUEUE,
    "ResourceNotFoundException": _FUNCTION,
    "TooManyRequestsException": (
        "Lambda takes no more invocations: a lower --concurrency (CONCURRENCY), or a larger quota of the account"
    ),
    "AWS.SimpleQueueService.QueueDeletedRecently": "a results queue of that name was deleted a minute ago; try again",
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "InvalidSecurity": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
}
_BY_CLASS = {
    "NoCredentialsError": _SOURCES,
    "PartialCredentialsError": _SOURCES,
    "CredentialRetrievalError": _SOURCES,
}


@contextmanager
def worded(role: Role, settings: Settings) -> Iterator[None]:
    """Whatever the SDK or an S3 client raises inside comes out as EnvironmentRefused, with a sentence for a person."""
    try:
        yield
    except Exception as error:
        sentence = sentence_for(error, role, settings)
        if sentence is None:
            raise
        raise EnvironmentRefused(sentence) from error


def sentence_for(error: BaseException, role: Role, settings: Settings) -> str | None:
    """Null for an error that comes neither from the SDK nor from an S3 client."""
    from botocore.exceptions import BotoCoreError, ClientError

    error = answer_in(error)
    if isinstance(error, ClientError | S3Answer):
        known = _known(error_code(error) or "", settings)
        return refusals.refusal(error, role, settings) or (f"{known} ({error})" if known else str(error))
    if isinstance(error, BotoCoreError | S3Unreachable):
        return f"{error}; {_BY_CLASS.get(type(error).__name__) or _unreachable(error, settings)}"
    return None


def _known(code: str, settings: Settings) -> str | None:
    named = settings.endpoint_url or any(getattr(settings, field) for field in _ENDPOINTS_OF_ONE_SERVICE)
    return _ELSEWHERE if named and code in _REDIRECTS else _BY_CODE.get(code)


def credentials_refused(error: BaseException) -> bool:
    """There are none, or AWS does not accept them."""
    known = _BY_CODE.get(error_code(error) or "") == _CREDENTIALS
    return known or type(error).__name__ in _BY_CLASS


def _unreachable(error: BaseException, settings: Settings) -> str:
    of_one_service = {field: getattr(settings, field) for field in _ENDPOINTS_OF_ONE_SERVICE}
    named = [field for field, url in of_one_service.items() if url and url in str(error)] or ["endpoint_url"]
    variables = [variables_of(field)[0] for field in named]
    endpoints = " and ".join(f"{flag_of(variable)} ({variable})" for variable in variables)
    return f"is the network up, and are --aws-region (AWS_REGION) and {endpoints} right?"


def answer_in(error: BaseException) -> BaseException:
    """AWS's own answer inside what the transfer manager makes of it: a text, with the answer as its context."""
    from boto3.exceptions import S3UploadFailedError

    return error.__context__ if isinstance(error, S3UploadFailedError) and error.__context__ else error
