"""`cleanup`: removes what runs that are over have left in the bucket and among the queues."""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from orchestrator.commands import _fleet
from stepbench.errors import EnvironmentRefused

if TYPE_CHECKING:
    from orchestrator.upkeep.cleaning import Cleaning, Findings
    from orchestrator.upkeep.removal import Removed
    from stepbench.settings import Settings

HELP = "remove payloads, incomplete uploads and results queues of runs that are over"
SETTINGS: tuple[str, ...] | None = (*_fleet.SETTINGS, "CHANNEL", "ORCH_LAMBDA_FUNCTION", "STEP_EXPIRY", "METRICS_DIR")

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs, and how."""
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN_ID", type=_fleet.run_id, help="only this run; at once if it has finished"
    )
    parser.add_argument(
        "--older-than",
        type=_seconds,
        metavar="AGE",
        help="only runs without a sign of life for so long: 30m, 12h, 7d (default 7d; never before STEP_EXPIRY unless "
        "the run's metrics file is here, says that it has finished, and nothing of the run came after it)",
    )
    parser.add_argument("--metrics", action="store_true", help="remove the copies of metrics files too")
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    parser.add_argument("--yes", action="store_true", help="remove without asking")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0. Raises UsageError, and EnvironmentRefused for what AWS refused."""
    from orchestrator.run.plan import utc_now
    from orchestrator.upkeep.cleaning import Cleaning
    from orchestrator.upkeep.remains_text import lines
    from orchestrator.upkeep.verdict import Terms
    from stepbench import aws_errors, streams
    from stepbench.aws import AwsConfig, Clients
    from stepbench.channels import traits

    _fleet.require(settings, queue=traits(settings.channel).steps_queue)
    if not arguments.dry_run:
        _fleet.require_somebody_to_ask(arguments.yes)
    terms = Terms(arguments.older_than, arguments.run_id is not None, settings.step_expiry_seconds)
    with redirect_stdout(streams.read_or_not(sys.stdout)), aws_errors.worded("operator", settings):
        clients = Clients(AwsConfig.of(settings))
        cleaning = Cleaning(settings, clients, arguments.run_id, terms, with_metrics=arguments.metrics)
        findings = cleaning.findings()
        print(*lines(findings, utc_now()), sep="\n", flush=True)
        if findings.to_go and not arguments.dry_run and _fleet.may("Remove it for good?", arguments.yes):
            _check(_removed(cleaning, findings), settings)
    return 0


def _removed(cleaning: Cleaning, findings: Findings) -> Removed:
    """Tells each run as it goes: whoever breaks off here knows what is gone."""
    from orchestrator.upkeep.remains_text import gone
    from orchestrator.upkeep.removal import Removed

    total = Removed()
    for remains, outcome in cleaning.remove(findings):
        if isinstance(outcome, str):
            print(f"kept {remains.run_id}: {outcome}", flush=True)
        else:
            total.add(outcome)
            print(f"removed of {remains.run_id}: {gone(outcome)}", flush=True)
    print(f"Removed: {gone(total)}.", flush=True)
    return total


def _check(removed: Removed, settings: Settings) -> None:
    """Raises EnvironmentRefused for objects that may not be deleted."""
    from stepbench.aws_errors import sentence_for

    if removed.refused:
        first = sentence_for(removed.refused[0], "operator", settings)
        raise EnvironmentRefused(f"objects that could not be deleted: {len(removed.refused)}\n{first}")


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; 30m, 12h and 7d are some")
    return float(found[1]) * SECONDS[found[2]]
