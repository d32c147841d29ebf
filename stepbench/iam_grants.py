"""What workers, the orchestrator and whoever looks after both must be allowed, in AWS's own actions, with reasons.

Batch calls have no actions of their own: `sqs:SendMessage` covers SendMessageBatch, and so on.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from stepbench import fleets
from stepbench.channels import traits
from stepbench.settings import Settings

Role = Literal["worker", "orchestrator", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)
Target = Literal[
    "objects",
    "bucket",
    "whole bucket",
    "steps queue",
    "results queues",
    "dead-letter queue",
    "every queue",
    "key",
    "ECS service",
    "tasks of its cluster",
    "function",
]


def _always(_: Settings) -> bool:
    return True


def _has_own_key(settings: Settings) -> bool:
    # Without a key of one's own, SSE=kms uses the key that AWS manages for S3, which allows what S3 allows.
    return settings.sse == "kms" and settings.kms_key_id is not None


def _has_queue_of_its_own(settings: Settings) -> bool:
    return _takes_completions(settings) and settings.results_queue_url is None


def _has_a_fixed_queue(settings: Settings) -> bool:
    return _takes_completions(settings) and settings.results_queue_url is not None


def _keeps_a_copy(settings: Settings) -> bool:
    return settings.metrics_sync_seconds > 0


def _tags(settings: Settings) -> bool:
    return settings.payload_tag


def _is_on_ecs(settings: Settings) -> bool:
    found = fleets.of_run(settings)
    return found is not None and found[1].ecs is not None


def _has_steps_queue(settings: Settings) -> bool:
    return settings.steps_queue_url is not None


def _has_function(settings: Settings) -> bool:
    return settings.lambda_function is not None


def _has_dead_letters(settings: Settings) -> bool:
    return _has_steps_queue(settings) or _has_function(settings)


def _takes_completions(settings: Settings) -> bool:
    return traits(settings.channel).results_queue


def _does_steps(settings: Settings) -> bool:
    return traits(settings.channel).own_executors


def _deletes(settings: Settings) -> bool:
    return settings.cleanup or _keeps_a_copy(settings)


@dataclass(frozen=True)
class Grant:
    """One statement: what is allowed on what, and why each of it is needed."""

    sid: str
    target: Target
    reasons: dict[str, str]
    """Action → why it is needed."""
    when: Callable[[Settings], bool] = _always


_KEY = Grant(
    "UseKey",
    "key",
    {
        "kms:GenerateDataKey": "to write an encrypted object",
        "kms:Decrypt": "to read one, and to write one in parts",
    },
    when=_has_own_key,
)

_INVOKES = {
    "lambda:InvokeFunction": "to have steps done, and to ask who does them (doctor)",
    "lambda:GetFunctionConfiguration": "to see that the function is there, how long it may run, and its dead letters",
}

GRANTS: dict[Role, tuple[Grant, ...]] = {
    "worker": (
        Grant("ReadPayloads", "objects", {"s3:GetObject": "to download what the step before wrote"}),
        Grant(
            "WritePayloads",
            "objects",
            {
                "s3:PutObject": "to upload what the step made",
                "s3:AbortMultipartUpload": "to leave no parts behind when an upload fails",
            },
        ),
        Grant(
            "TagPayloads",
            "objects",
            {"s3:PutObjectTagging": "to upload it with the tag that a lifecycle rule knows payloads by"},
            when=_tags,
        ),
        Grant(
            "DeleteOrphans",
            "objects",
            {"s3:DeleteObject": "to delete the output of a step whose run is over and whose results queue is gone"},
        ),
        Grant(
            "TakeSteps",
            "steps queue",
            {
                "sqs:ReceiveMessage": "to take step messages",
                "sqs:DeleteMessage": "to delete them once their completion is sent",
                "sqs:ChangeMessageVisibility": "to keep them hidden while they are worked on, and to hand them back",
            },
            when=_has_steps_queue,
        ),
        Grant("SendCompletions", "results queues", {"sqs:SendMessage": "to post completions to the run that asked"}),
        _KEY,
        # The task's own role: ECS's agent asks in its name. A task has no name before it is there.
        Grant(
            "ProtectTask",
            "tasks of its cluster",
            {"ecs:UpdateTaskProtection": "to keep its own task from being scaled in while it has steps"},
            when=_is_on_ecs,
        ),
    ),
    "orchestrator": (
        Grant(
            "ReadPayloads",
            "objects",
            {"s3:GetObject": "to download what the step before wrote, where executors of its own do the steps"},
            when=_does_steps,
        ),
        Grant(
            "WritePayloads",
            "objects",
            {
                "s3:PutObject": "to write the first payload, the copy of the metrics file and the run's lease",
                "s3:AbortMultipartUpload": "to leave no parts behind when an upload fails",
            },
        ),
        Grant(
            "TagPayloads",
            "objects",
            {"s3:PutObjectTagging": "to write the first payload with the tag that a lifecycle rule knows it by"},
            when=_tags,
        ),
        Grant(
            "SendSteps",
            "steps queue",
            {
                "sqs:SendMessage": "to dispatch steps",
                "sqs:GetQueueAttributes": "to see that the queue is there, and whether a stalled run has messages left",
            },
            when=_has_steps_queue,
        ),
        Grant("InvokeFunction", "function", _INVOKES, when=_has_function),
        Grant(
            "OwnResultsQueue",
            "results queues",
            {
                "sqs:CreateQueue": "to make a results queue for each run",
                "sqs:GetQueueAttributes": "to see that no completion is hidden there before a step is given up as lost",
                "sqs:DeleteQueue": "to delete it when the run is over",
            },
            when=_has_queue_of_its_own,
        ),
        Grant(
            "TakeCompletions",
            "results queues",
            {
                "sqs:ReceiveMessage": "to take completions",
                "sqs:DeleteMessage": "to delete them once their sample is on disk",
            },
            when=_takes_completions,
        ),
        Grant(
            "ShareResultsQueue",
            "results queues",
            {
                "sqs:GetQueueAttributes": "to see that the queue is there",
                "sqs:ChangeMessageVisibility": "to hand back completions of other runs",
            },
            when=_has_a_fixed_queue,
        ),
        Grant(
            "ReadCopies",
            "objects",
            {"s3:GetObject": "to see whose the run's lease is, and to go on from the copy of a metrics file"},
            when=_keeps_a_copy,
        ),
        Grant(
            "ListObjects",
            "bucket",
            {"s3:ListBucket": "to find what CLEANUP deletes, and the parts of a metrics file's copy"},
            when=_deletes,
        ),
        Grant(
            "DeleteObjects",
            "objects",
            {"s3:DeleteObject": "to delete a run's payloads, and the parts once the metrics file is copied whole"},
            when=_deletes,
        ),
        _KEY,
        # A run without these waits until the fleet's alarm starts it.
        Grant(
            "StartFleet",
            "ECS service",
            {
                "ecs:DescribeServices": "to see whether the fleet has tasks",
                "ecs:UpdateService": "to start a first one where it has none, and to scale it by hand",
            },
            when=_is_on_ecs,
        ),
        # Last, as the operator's. Without it a step that was dead-lettered is given up after STALL_TIMEOUT.
        Grant(
            "FindDeadLetters",
            "dead-letter queue",
            {
                "sqs:ReceiveMessage": "to find a run's own steps among them, and dispatch those again",
                "sqs:ChangeMessageVisibility": "to hand them back at once",
            },
            when=_has_dead_letters,
        ),
    ),
    "operator": (
        Grant(
            "SendBack",
            "steps queue",
            {
                "sqs:GetQueueAttributes": "to find its dead-letter queue",
                "sqs:SendMessage": "to send dead letters back, and to ask workers who they are",
            },
            when=_has_steps_queue,
        ),
        Grant("AskFunction", "function", _INVOKES, when=_has_function),
        Grant(
            "SeeResultsQueues",
            "results queues",
            {"sqs:GetQueueAttributes": "to see whether a run still waits for its completions"},
        ),
        Grant("ListRemains", "bucket", {"s3:ListBucket": "to find what runs have left"}),
        Grant("ListUploads", "whole bucket", {"s3:ListBucketMultipartUploads": "to find uploads that were broken off"}),
        Grant(
            "DeleteRemains",
            "objects",
            {
                "s3:DeleteObject": "to delete what runs have left",
                "s3:AbortMultipartUpload": "to remove the parts of uploads that were broken off",
            },
        ),
        Grant(
            "TryObjects",
            "objects",
            {
                "s3:PutObject": "to see that an object can be written (doctor)",
                "s3:GetObject": "to read it again, and how far S3 is",
            },
        ),
        Grant(
            "TagObjects",
            "objects",
            {"s3:PutObjectTagging": "to write it with the tag of payloads"},
            when=_tags,
        ),
        Grant(
            "SeeEncryption",
            "whole bucket",
            {"s3:GetEncryptionConfiguration": "to see the bucket's default encryption"},
        ),
        Grant(
            "AskWorkers",
            "results queues",
            {
                "sqs:SendMessage": "to see that a results queue can be sent to",
                "sqs:ReceiveMessage": "to take the workers' answers",
                "sqs:DeleteMessage": "to delete them",
            },
        ),
        Grant(
            "MakeResultsQueue",
            "results queues",
            {"sqs:CreateQueue": "to make a results queue for the workers' answers"},
            when=_has_queue_of_its_own,
        ),
        Grant(
            "HandBackCompletions",
            "results queues",
            {"sqs:ChangeMessageVisibility": "to hand back completions of runs, where the results queue is shared"},
            when=_has_a_fixed_queue,
        ),
        _KEY,
        Grant("ListQueues", "every queue", {"sqs:ListQueues": "to find results queues"}, when=_has_queue_of_its_own),
        Grant(
            "DeleteResultsQueues",
            "results queues",
            {"sqs:DeleteQueue": "to delete those of runs that are over"},
            when=_has_queue_of_its_own,
        ),
        # Last: what a refusal of another queue is told by must come before what would fit any queue.
        Grant(
            "TakeDeadLetters",
            "dead-letter queue",
            {
                "sqs:GetQueueAttributes": "to see whether somebody else is looking at them",
                "sqs:ReceiveMessage": "to look at them",
                "sqs:ChangeMessageVisibility": "to hand them back",
                "sqs:DeleteMessage": "to purge them, and to delete what was sent back",
            },
        ),
    ),
}
