"""`tail`: watches a run from another terminal or machine. It reads the metrics file, or its copy, and never a queue."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.run.lines import Line
    from orchestrator.s3_copy.objects import Objects
    from stepbench.settings import Settings

HELP = "follow a run that is going on, line by line, from its metrics file or the copy of that in the bucket"
SETTINGS: tuple[str, ...] | None = (
    "METRICS_DIR",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "ORCH_BUCKET",
    "ORCH_PREFIX",
    "CONNECT_TIMEOUT",
    "READ_TIMEOUT",
    "AWS_RETRY_MODE",
    "AWS_MAX_ATTEMPTS",
)

S3_POLL_SECONDS = 2.0
"""A listing each; what is copied comes with METRICS_SYNC_SECONDS between."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and in which form."""
    parser.add_argument(
        "target",
        nargs="?",
        metavar="RUN_ID|FILE",
        help="a run id, also of a run that has not begun, or a metrics file; without it, the newest of --metrics-dir",
    )
    parser.add_argument("--json", action="store_true", help="print the lines as they stand in the file")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when the run has finished. Raises UsageError for a file that is none, EnvironmentRefused, KeyboardInterrupt."""
    from orchestrator.interrupts import insisting
    from stepbench import aws_errors
    from stepbench.errors import UsageError

    path = _path(settings.metrics_dir, arguments.target)
    copy = None if path.exists() else _copy(settings, arguments.target)
    try:
        with insisting(), aws_errors.worded("orchestrator", settings):
            for text, line in _followed(path, copy):
                _print(text, line, as_json=arguments.json)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise UsageError(f"cannot follow {path}: {error.strerror}") from error
    return 0


def _followed(path: Path, copy: Objects | None) -> Iterator[tuple[bytes, Line | None]]:
    """The lines of the file, or of the copy where there is no file: of whichever is there first."""
    from orchestrator.report.follow import POLL_SECONDS, Patience, follow
    from orchestrator.s3_copy.following import follow_copy

    place = str(path) if copy is None else f"{path} or its copy in {copy.place}"
    pause_seconds = POLL_SECONDS if copy is None else S3_POLL_SECONDS
    patience = Patience(place, time.monotonic())
    copied = False

    def wait() -> None:
        note = patience.note(time.monotonic(), begun=copied or path.exists())
        if note:
            print(note, file=sys.stderr, flush=True)
        time.sleep(pause_seconds)

    while copy is not None and not path.exists() and copy.listing().empty:
        wait()
    if copy is not None and not path.exists():
        copied = True
        lines = follow_copy(copy, wait)
    else:
        lines = follow(path, wait)
    for text, line in lines:
        patience.heard(time.monotonic())
        yield text, line


def _copy(settings: Settings, target: str | None) -> Objects | None:
    """Where the copy is to be looked for; null where there is none to look for."""
    from orchestrator.report.locate import is_run_id
    from orchestrator.s3_copy.fetching import copy_of
    from stepbench.aws import AwsConfig, Clients

    if target is None or not is_run_id(target):
        return None
    return copy_of(target, settings, Clients(AwsConfig.of(settings)))


def _path(metrics_dir: Path, target: str | None) -> Path:
    from orchestrator.report.locate import find, is_run_id, path_of

    return path_of(metrics_dir, target) if target is not None and is_run_id(target) else find(metrics_dir, target)


def _print(text: bytes, line: Line | None, *, as_json: bool) -> None:
    from orchestrator.report.narrate import narrate

    if as_json:
        print(text.decode(), end="", flush=True)
    elif line is not None:
        print(narrate(line), flush=True)
