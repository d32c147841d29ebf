"""`policy`: prints the least IAM policy for the configured bucket, prefix and queues."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from stepbench.errors import UsageError
from stepbench.settings import named

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "print the least IAM policy of a role, for the configured bucket, prefix and queues"
SETTINGS: tuple[str, ...] | None = (
    "AWS_REGION",
    "ORCH_BUCKET",
    "ORCH_PREFIX",
    "CHANNEL",
    "ORCH_STEPS_QUEUE_URL",
    "ORCH_FLEETS",
    "ORCH_FLEET",
    "ORCH_LAMBDA_FUNCTION",
    "ORCH_RESULTS_QUEUE_PREFIX",
    "ORCH_RESULTS_QUEUE_URL",
    "SSE",
    "KMS_KEY_ID",
    "PAYLOAD_TAG",
    "CLEANUP",
    "METRICS_SYNC_SECONDS",
)

REMARK_ON_KEYS = (
    "No statement about KMS: the AWS managed key for S3 needs none. If the bucket's default key is one of your own, "
    "name it with --kms-key-id (KMS_KEY_ID)."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose policy."""
    parser.add_argument(
        "--role",
        required=True,
        choices=("worker", "orchestrator", "operator"),
        help="who gets the policy; an operator uses dead-letters, cleanup and doctor",
    )
    parser.add_argument(
        "--dead-letter-queue",
        metavar="NAME",
        help="the steps queue's, or the function's; an operator's policy of a steps queue needs it, and with it an "
        "orchestrator finds its own steps there",
    )


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0. Raises UsageError without what a statement names: the embedded stack needs no policy."""
    from stepbench.channels import fitted, traits
    from stepbench.iam_policy import lacks_place, policy

    own_executors = traits(settings.channel).own_executors
    if own_executors and arguments.role == "worker":
        raise UsageError(
            f"--channel {settings.channel} (CHANNEL) has no workers; "
            "--role orchestrator prints what its steps need, too"
        )
    if arguments.role == "orchestrator" or not own_executors:
        settings = fitted(settings)
    if settings.bucket is None or lacks_place(arguments.role, settings):
        raise UsageError(_names_more(traits(settings.channel).function))
    if arguments.role == "operator" and settings.steps_queue_url is not None and not arguments.dead_letter_queue:
        raise UsageError("an operator's policy names the steps queue's dead-letter queue: add --dead-letter-queue NAME")
    if settings.sse == "kms" and settings.kms_key_id is None:
        print(REMARK_ON_KEYS, file=sys.stderr)
    print(json.dumps(policy(arguments.role, settings, arguments.dead_letter_queue), indent=2))
    return 0


def _names_more(function: bool) -> str:
    if function:
        what, field = "a bucket and a function", "lambda_function"
    else:
        what, field = "a bucket and a queue", "steps_queue_url"
    return f"a policy names {what}: set {named('bucket')} and {named(field)}"
