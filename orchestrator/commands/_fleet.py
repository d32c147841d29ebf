"""For commands that look after a fleet that is there: the settings that find it, and leave of a person to delete."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from stepbench.errors import UsageError

if TYPE_CHECKING:
    from stepbench.settings import Settings

SETTINGS = (
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SQS",
    "ORCH_BUCKET",
    "ORCH_PREFIX",
    "ORCH_STEPS_QUEUE_URL",
    "ORCH_FLEETS",
    "ORCH_FLEET",
    "ORCH_RESULTS_QUEUE_PREFIX",
    "ORCH_RESULTS_QUEUE_URL",
    "CONNECT_TIMEOUT",
    "READ_TIMEOUT",
    "AWS_RETRY_MODE",
    "AWS_MAX_ATTEMPTS",
)


def run_id(text: str) -> str:
    """For argparse: `text`, which has the look of one."""
    from orchestrator.upkeep.shapes import begun

    try:
        begun(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def require(settings: Settings, *, queue: bool = True) -> None:
    """Raises UsageError without a bucket: what ran on the embedded stack is gone with it."""
    if settings.bucket is None and not queue:
        raise UsageError(
            "no bucket is named to look at: set --bucket (ORCH_BUCKET); start without it needs nothing of that, and "
            "leaves nothing behind"
        )
    if settings.bucket is None or (queue and settings.steps_queue_url is None):
        raise UsageError(
            "no bucket and queue are named to look at: set --bucket (ORCH_BUCKET) and --steps-queue-url "
            "(ORCH_STEPS_QUEUE_URL), which scripts/deploy and python -m orchestrator local tell; start without them "
            "needs nothing of that, and leaves nothing behind"
        )


def require_somebody_to_ask(yes: bool) -> None:
    """Raises UsageError where leave to delete is neither given nor can be asked for."""
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at before anything is deleted: add --yes")


def may(question: str, yes: bool) -> bool:
    """Whether leave was given with --yes, or is given now."""
    if yes:
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
