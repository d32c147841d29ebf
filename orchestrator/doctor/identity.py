"""Whose credentials these are. Every identity may ask that: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html."""

from __future__ import annotations

from orchestrator.doctor.findings import ROLE, Check, note, ok, wrong
from orchestrator.doctor.ground import Ground
from stepbench.aws import Clients, is_aws
from stepbench.aws_errors import credentials_refused, sentence_for

NAME = "Credentials"
SOURCES = {
    "env": "the environment",
    "shared-credentials-file": "the SDK's credentials file",
    "container-role": "the task's role",
    "iam-role": "the instance's role",
}
"""In words, by what the SDK calls them; others are told as it calls them."""
WAIT_SECONDS = 3.0
"""STS may be out of reach where S3 and SQS are not: in a subnet without a way to the internet."""


def check(ground: Ground) -> Check:
    """Raises EnvironmentRefused for a configuration of the SDK's that cannot be used."""
    source = ground.clients.credentials_source
    if source is None:
        return wrong(
            NAME,
            "the SDK finds no credentials",
            "--aws-profile (AWS_PROFILE), AWS_ACCESS_KEY_ID or another source of the SDK's gives them",
        )
    source = SOURCES.get(source, source)
    if not (ground.sqs_is_aws and ground.s3_is_aws and is_aws(ground.settings.endpoint_url)):
        return note(NAME, f"from {source}; who they are is not asked: the endpoints are not AWS's own, and have no STS")
    return _asked(ground, source)


def _asked(ground: Ground, source: str) -> Check:
    short = {"max_attempts": 1, "connect_timeout_seconds": WAIT_SECONDS, "read_timeout_seconds": WAIT_SECONDS}
    sts = Clients(ground.config.model_copy(update=short)).sts
    try:
        identity = sts.get_caller_identity()
    except Exception as error:
        sentence = sentence_for(error, ROLE, ground.settings)
        if sentence is None:
            raise
        if credentials_refused(error):
            found, _, mend = sentence.partition("; ")
            return wrong(NAME, found, mend)
        return note(NAME, f"from {source}; who they are is not known, because STS does not tell: {error}")
    return ok(NAME, f"{identity['Arn']} of account {identity['Account']}, from {source}")
