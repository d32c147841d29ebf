"""`tail`: watches a run from another terminal. It reads the metrics file and never a queue."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.run.lines import Line
    from stepbench.settings import Settings

HELP = "follow a run that is going on, line by line, from its metrics file"
SETTINGS: tuple[str, ...] | None = ("METRICS_DIR",)


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
    """0 when the run has finished. Raises UsageError for a file that is none, KeyboardInterrupt."""
    from orchestrator.interrupts import insisting
    from orchestrator.report.follow import POLL_SECONDS, Patience, follow
    from stepbench.errors import UsageError

    path = _path(settings.metrics_dir, arguments.target)
    patience = Patience(path, time.monotonic())

    def wait() -> None:
        note = patience.note(time.monotonic(), begun=path.exists())
        if note:
            print(note, file=sys.stderr, flush=True)
        time.sleep(POLL_SECONDS)

    try:
        with insisting():
            for text, line in follow(path, wait):
                patience.heard(time.monotonic())
                _print(text, line, as_json=arguments.json)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise UsageError(f"cannot follow {path}: {error.strerror}") from error
    return 0


def _path(metrics_dir: Path, target: str | None) -> Path:
    from orchestrator.report.locate import find, is_run_id, path_of

    return path_of(metrics_dir, target) if target is not None and is_run_id(target) else find(metrics_dir, target)


def _print(text: bytes, line: Line | None, *, as_json: bool) -> None:
    from orchestrator.report.narrate import narrate

    if as_json:
        print(text.decode(), end="", flush=True)
    elif line is not None:
        print(narrate(line), flush=True)
