"""`resume`: go on with a run that was interrupted or died, from its metrics file alone."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.report.metrics_file import MetricsFile
    from stepbench.settings import Settings

HELP = "go on with a run that was interrupted, from its metrics file"
SETTINGS: tuple[str, ...] | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and how to tell about it."""
    parser.add_argument("target", metavar="RUN_ID|FILE", help="a run id of --metrics-dir, or a metrics file")
    parser.add_argument("--retry-failed", action="store_true", help="give failed chains a new set of attempts")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """As `start`; 0 for a run that has finished. Raises UsageError, EnvironmentRefused, KeyboardInterrupt."""
    from orchestrator.commands._ending import tell, telling_what_is_kept
    from orchestrator.interrupts import insisting
    from orchestrator.report import metrics_file
    from orchestrator.report.live import progress_view
    from orchestrator.report.locate import find
    from orchestrator.report.tally import Tally
    from orchestrator.run import history, preflight, resumption, site
    from orchestrator.run.execution import go_on
    from orchestrator.run.journal import Journal
    from stepbench import aws_errors

    path = find(settings.metrics_dir, arguments.target)
    # Before it is read: from here on nobody else writes it.
    journal = Journal(path, again=True, through=settings.metrics_fsync)
    file = metrics_file.read(path)
    if (said := _nothing_to_do(file, arguments.retry_failed)) is not None:
        journal.close()
        print(said, file=sys.stderr)
        return 0
    past = history.read(file.lines)
    with ExitStack() as stack:
        place = stack.enter_context(site.opened(resumption.settings_for(file, past, settings)))
        stack.enter_context(aws_errors.worded("orchestrator", place.settings))
        preflight.check(place.settings, place.clients)
        journal.cut(file.whole_bytes)
        plan = file.run.plan
        with telling_what_is_kept(plan, place, journal), progress_view(sys.stderr, arguments.quiet) as view:
            tally = Tally(plan, view.update, place.no_worker_warning_seconds)
            tally.remember(file.lines)
            with insisting():
                epoch = history.next_epoch(past.epoch, now_seconds=time())
                channel = go_on(plan, place, past, epoch, journal, tally.saw, retry_failed=arguments.retry_failed)
        return tell(plan, place, journal, channel, as_json=arguments.json)


def _nothing_to_do(file: MetricsFile, retry_failed: bool) -> str | None:
    """A sentence about a run that has finished."""
    from orchestrator.report.statistics import summarise

    if file.summary is None:
        return None
    counts = summarise([file]).counts
    if retry_failed and counts.chains_failed:
        return None
    failed = f", {counts.chains_failed} failed (--retry-failed tries them again)" if counts.chains_failed else ""
    return (
        f"Run {file.run.run_id} has finished: {counts.chains_ok} of {counts.chains} chains done{failed}. "
        f"python -m orchestrator report {file.run.run_id} shows its figures."
    )
