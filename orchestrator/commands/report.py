"""`report`: prints the summary again, from metrics files alone."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "print the summary of finished or running runs from their metrics files"
SETTINGS: tuple[str, ...] | None = ("METRICS_DIR",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs, and in which form."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="FILE|RUN_ID",
        help="metrics files or run ids, one summary over all of them; without any, the newest run of --metrics-dir",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0; raises UsageError for files that are missing or damaged, all of them at once."""
    from orchestrator.report.gather import gather
    from orchestrator.report.statistics import summarise
    from orchestrator.report.terminal import show

    summary = summarise(gather(settings.metrics_dir, arguments.targets))
    if arguments.json:
        print(summary.model_dump_json())
    else:
        show(summary, sys.stdout)
    return 0
