"""Looks at bucket, queues and function before anything is sent or created. Changes nothing.

What cannot be seen without rights that a run does not need otherwise is not asked for: a bucket that may not be listed
is left for the first upload to find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from stepbench.failures import error_code

if TYPE_CHECKING:
    from stepbench.aws import Clients
    from stepbench.settings import Settings

FORBIDDEN = frozenset({"403", "AccessDenied"})

log = structlog.get_logger()


def check(settings: Settings, clients: Clients) -> None:
    """`settings` name no queue and no function that the run does not use.

    Raises the SDK's error for one that is missing, missing credentials, or a wrong region.
    """
    assert settings.bucket is not None
    urls = (settings.steps_queue_url, settings.results_queue_url)
    # The clients are made first: that there is no region is known without a call.
    queues = [(clients.sqs, url) for url in urls if url is not None]
    functions = [(clients.functions, arn) for arn in (settings.lambda_function,) if arn is not None]
    _bucket(clients, settings.bucket)
    for sqs, url in queues:
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    for client, arn in functions:
        client.get_function_configuration(FunctionName=arn)


def _bucket(clients: Clients, bucket: str) -> None:
    from botocore.exceptions import ClientError

    try:
        clients.s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error_code(error) not in FORBIDDEN:
            raise
        log.info("the bucket may not be listed; the first upload will tell whether it can be used", bucket=bucket)
