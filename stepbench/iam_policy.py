"""The least IAM policy of a role, as a document, from the settings; no AWS is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from stepbench import fleets
from stepbench.channels import traits
from stepbench.iam_grants import GRANTS, Role, Target
from stepbench.lambda_functions import Function
from stepbench.prefix import literal_part
from stepbench.settings import Settings


def policy(role: Role, settings: Settings, dead_letter_queue: str | None = None) -> dict[str, Any]:
    """The policy document for one role. `settings` must have a bucket, and what their channel sends steps to.

    Region and account are those of the steps queue's URL, or of the function; a region that a URL does not tell is the
    configured one. Where there is neither, a statement about a key by its id is about every account's.
    `dead_letter_queue` is the name of the queue's, or the function's: no setting tells it. Without it no statement is
    about it.
    """
    return {"Version": "2012-10-17", "Statement": list(_statements(role, settings, dead_letter_queue))}


def statement_for(action: str, role: Role, settings: Settings, resource: str | None = None) -> dict[str, Any] | None:
    """The statement of the policy that allows `action` (in whatever case); null if there is none, or nobody can tell.

    `resource`: the ARN that it was refused on, where known; it tells apart statements with the same action.
    """
    if settings.bucket is None or lacks_place(role, settings):
        return None
    refused_queue = resource.rpartition(":")[2] if resource else None
    allowing = [
        statement
        for statement in _statements(role, settings, refused_queue)
        if action.lower() in (allowed.lower() for allowed in statement["Action"])
    ]
    fitting = [statement for statement in allowing if resource and fnmatchcase(resource, statement["Resource"])]
    return next(iter([*fitting, *allowing]), None)


def lacks_place(role: Role, settings: Settings) -> bool:
    """Whether neither queue nor function tells which account and which names the statements are about."""
    needs_any = role != "orchestrator" or not traits(settings.channel).own_executors
    return needs_any and settings.steps_queue_url is None and settings.lambda_function is None


def _statements(role: Role, settings: Settings, dead_letter_queue: str | None) -> Iterator[dict[str, Any]]:
    for grant in GRANTS[role]:
        if grant.when(settings) and (grant.target != "dead-letter queue" or dead_letter_queue is not None):
            where = _on(grant.target, settings, dead_letter_queue or "")
            yield {"Sid": grant.sid, "Effect": "Allow", "Action": list(grant.reasons), **where}


def _on(target: Target, settings: Settings, dead_letter_queue: str) -> dict[str, Any]:
    """Resource, and Condition where the resource alone would allow more."""
    assert settings.bucket is not None
    place = _Place.of_settings(settings)
    # A star in a prefix means itself: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    below = literal_part(settings.prefix).replace("*", "${*}") + "*"
    match target:
        case "objects":
            return {"Resource": f"arn:{place.partition}:s3:::{settings.bucket}/{below}"}
        case "bucket":
            resource = f"arn:{place.partition}:s3:::{settings.bucket}"
            return {"Resource": resource, "Condition": {"StringLike": {"s3:prefix": below}}}
        case "whole bucket":  # what a listing of uploads is restricted to cannot be a condition
            return {"Resource": f"arn:{place.partition}:s3:::{settings.bucket}"}
        case "key":
            return _key(place, settings.kms_key_id or "")
        case "function" | "ECS service" | "tasks of its cluster":
            return {"Resource": _of_compute(target, place, settings)}
        case _:
            return {"Resource": _queue(target, place, settings, dead_letter_queue)}


def _queue(target: Target, place: _Place, settings: Settings, dead_letter_queue: str) -> str:
    if target == "every queue":  # listing them is of no single queue: no other resource allows it
        return "*"
    if target == "results queues" and settings.results_queue_url is not None:
        fixed = _Place.of(settings.results_queue_url, settings.region)
        return fixed.arn("sqs", fixed.queue)
    names = {
        "steps queue": place.queue,
        "results queues": settings.results_queue_prefix + "*",
        "dead-letter queue": dead_letter_queue,
    }
    return place.arn("sqs", names[target])


def _of_compute(target: Target, place: _Place, settings: Settings) -> str:
    if target == "function":
        assert settings.lambda_function is not None  # else no statement is about it
        return settings.lambda_function
    found = fleets.of_run(settings)
    assert found is not None
    service = found[1].ecs
    assert service is not None  # else no statement is about it
    if target == "ECS service":
        return place.arn("ecs", f"service/{service.cluster}/{service.name}")
    return place.arn("ecs", f"task/{service.cluster}/*")


def region_of(queue_url: str) -> str | None:
    """The region that a queue's URL tells; null for servers whose URLs tell none."""
    host = urlsplit(queue_url).hostname or ""
    named = re.search(r"(?<![a-z0-9-])[a-z]{2}(-[a-z]+){1,2}-\d{1,2}(?![a-z0-9-])", host)
    return named[0] if named else None


@dataclass(frozen=True)
class _Place:
    """What a queue's URL tells, or a function's ARN."""

    region: str
    account: str
    queue: str

    @classmethod
    def of_settings(cls, settings: Settings) -> _Place:
        if settings.steps_queue_url is not None:
            return cls.of(settings.steps_queue_url, settings.region)
        if settings.lambda_function is not None:
            function = Function.of(settings.lambda_function)
            return cls(function.region, function.account, "")
        return cls(settings.region or "*", "*", "")

    @classmethod
    def of(cls, queue_url: str, region: str | None) -> _Place:
        parts = urlsplit(queue_url)
        _, account, queue = parts.path.rsplit("/", 2)
        return cls(region_of(queue_url) or region or "*", account, queue)

    @property
    def partition(self) -> str:
        """See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""
        return next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")

    def arn(self, service: str, name: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{name}"


_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}


def _key(place: _Place, key: str) -> dict[str, Any]:
    """Keys are named by id, by alias, or by the ARN of either; a policy cannot name an alias as its resource."""
    alias = re.search(r"(^|:)(alias/.+)$", key)
    if alias is not None:
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias[2]}}
        return {"Resource": place.arn("kms", "key/*"), "Condition": condition}
    return {"Resource": key if key.startswith("arn:") else place.arn("kms", f"key/{key}")}
