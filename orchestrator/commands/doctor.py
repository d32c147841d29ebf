"""`doctor`: what a run needs, looked at piece by piece; what is wrong and what mends it."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from orchestrator.commands import _fleet

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "look at credentials, bucket, queues and workers, and say what is wrong and what mends it"
SETTINGS: tuple[str, ...] | None = (
    *_fleet.SETTINGS,
    "CHANNEL",
    "ORCH_LAMBDA_FUNCTION",
    "AWS_ENDPOINT_URL_LAMBDA",
    "SSE",
    "KMS_KEY_ID",
    "PAYLOAD_TAG",
    "S3_CLIENT",
    "VISIBILITY_TIMEOUT",
    "STEP_TIMEOUT",
    "STEP_EXPIRY",
    "FAIR_QUEUES",
)

EXIT_WRONG = 3
MOST_WAIT_SECONDS = 3_600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long to wait for workers, and how to tell."""
    parser.add_argument(
        "--wait",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
        help="collect answers of workers for so long (default 10); 0 asks none, and leaves no probe in the steps queue",
    )
    parser.add_argument(
        "--workers", type=_count, metavar="N", help="wait no longer than until N workers have answered; fewer is wrong"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0, or 3 when something is wrong. Raises UsageError without a bucket."""
    from orchestrator.doctor.examination import Examination
    from orchestrator.doctor.text import show
    from stepbench import streams
    from stepbench.channels import fitted, traits

    settings = fitted(settings)
    _fleet.require(settings, queue=traits(settings.channel).steps_queue)
    examination = Examination(settings, arguments.wait, arguments.workers)
    with redirect_stdout(streams.read_or_not(sys.stdout)):
        if arguments.json:
            list(examination.checks())
            print(examination.diagnosis().model_dump_json())
        else:
            show(examination.checks(), sys.stdout)
    return 0 if examination.diagnosis().ok else EXIT_WRONG


def seconds(text: str) -> float:
    """An argument. Raises argparse.ArgumentTypeError."""
    try:
        given = float(text)
    except ValueError:
        given = -1.0
    if not 0 <= given <= MOST_WAIT_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {MOST_WAIT_SECONDS:g}")
    return given


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; 3 is one")
    return int(text)
