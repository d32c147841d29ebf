"""Where the results queues of runs are: beside the steps queue, or in the account and region of the Lambda function."""

from __future__ import annotations

from stepbench.lambda_functions import Function
from stepbench.settings import Settings


def results_folder(settings: Settings) -> str | None:
    """What the URLs of runs' own results queues begin with, up to the slash; null where nothing tells."""
    if settings.steps_queue_url is not None:
        return folder_of(settings.steps_queue_url)
    if settings.lambda_function is not None:
        return Function.of(settings.lambda_function).queue_folder(settings.sqs_endpoint_url or settings.endpoint_url)
    return None


def folder_of(url: str) -> str:
    """Of a queue: the endpoint and the account."""
    return url.rpartition("/")[0]
