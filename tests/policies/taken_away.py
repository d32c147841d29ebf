"""What tests take away from the printed policies, by what becomes of a run or a worker without it."""

from __future__ import annotations

from stepbench.iam_grants import Role

Allowed = tuple[str, str]
"""A statement's Sid and one of its actions."""

ENDS_A_RUN_AT_ONCE: list[Allowed] = [
    ("WritePayloads", "s3:PutObject"),
    ("TagPayloads", "s3:PutObjectTagging"),
    ("SendSteps", "sqs:SendMessage"),
    ("SendSteps", "sqs:GetQueueAttributes"),
    ("OwnResultsQueue", "sqs:CreateQueue"),
]
ENDS_A_RUN: list[Allowed] = [
    ("OwnResultsQueue", "sqs:DeleteQueue"),
    ("TakeCompletions", "sqs:ReceiveMessage"),
    ("TakeCompletions", "sqs:DeleteMessage"),
    ("ListObjects", "s3:ListBucket"),
    ("DeleteObjects", "s3:DeleteObject"),
]
TO_READ_COPIES: Allowed = ("ReadCopies", "s3:GetObject")
ENDS_A_RUN_WITH_A_COPY: list[Allowed] = [
    ("WritePayloads", "s3:PutObject"),
    ("ListObjects", "s3:ListBucket"),
    ("DeleteObjects", "s3:DeleteObject"),
    TO_READ_COPIES,
]
ENDS_A_RUN_ON_A_SHARED_QUEUE: list[Allowed] = [
    ("ShareResultsQueue", "sqs:GetQueueAttributes"),
    ("ShareResultsQueue", "sqs:ChangeMessageVisibility"),
]
OF_THE_KEY: list[Allowed] = [("UseKey", "kms:GenerateDataKey"), ("UseKey", "kms:Decrypt")]
FAILS_A_STEP: list[Allowed] = [
    ("ReadPayloads", "s3:GetObject"),
    ("WritePayloads", "s3:PutObject"),
    ("TagPayloads", "s3:PutObjectTagging"),
]
ENDS_A_WORKER: list[Allowed] = [
    ("TakeSteps", "sqs:ReceiveMessage"),
    ("TakeSteps", "sqs:DeleteMessage"),
    ("SendCompletions", "sqs:SendMessage"),
]
TO_KEEP_HIDDEN: Allowed = ("TakeSteps", "sqs:ChangeMessageVisibility")
TO_DELETE_ORPHANS: Allowed = ("DeleteOrphans", "s3:DeleteObject")
TO_FIND_DEAD_LETTERS: list[Allowed] = [
    ("FindDeadLetters", "sqs:ReceiveMessage"),
    ("FindDeadLetters", "sqs:ChangeMessageVisibility"),
]
TO_GIVE_UP: Allowed = ("OwnResultsQueue", "sqs:GetQueueAttributes")
TO_START_THE_FLEET: list[Allowed] = [("StartFleet", "ecs:DescribeServices"), ("StartFleet", "ecs:UpdateService")]
TO_PROTECT_ITS_TASK: Allowed = ("ProtectTask", "ecs:UpdateTaskProtection")
TO_DO_STEPS_ITSELF: list[Allowed] = [("ReadPayloads", "s3:GetObject")]
TO_INVOKE: list[Allowed] = [
    ("InvokeFunction", "lambda:GetFunctionConfiguration"),
    ("InvokeFunction", "lambda:InvokeFunction"),
]
TO_ASK: dict[Allowed, str] = {
    ("AskFunction", "lambda:GetFunctionConfiguration"): "Function",
    ("AskFunction", "lambda:InvokeFunction"): "Workers",
}
"""An operator's → the check of `doctor` that tells it."""
TO_ABORT: Allowed = ("WritePayloads", "s3:AbortMultipartUpload")
TAKEN_AWAY: dict[Role, list[Allowed]] = {
    "orchestrator": [
        *ENDS_A_RUN_AT_ONCE,
        *ENDS_A_RUN,
        *ENDS_A_RUN_ON_A_SHARED_QUEUE,
        *OF_THE_KEY,
        *TO_FIND_DEAD_LETTERS,
        *TO_START_THE_FLEET,
        *TO_DO_STEPS_ITSELF,
        *TO_INVOKE,
        TO_GIVE_UP,
        TO_READ_COPIES,
        TO_ABORT,
    ],
    "worker": [
        *FAILS_A_STEP,
        *ENDS_A_WORKER,
        *OF_THE_KEY,
        TO_KEEP_HIDDEN,
        TO_DELETE_ORPHANS,
        TO_PROTECT_ITS_TASK,
        TO_ABORT,
    ],
}
