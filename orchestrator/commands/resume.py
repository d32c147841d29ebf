"""`resume`: go on with a run that was interrupted or died, from its metrics file alone."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.report.metrics_file import MetricsFile
    from stepbench.settings import Settings

HELP = "go on with a run that was interrupted, from its metrics file"
SETTINGS: tuple[str, ...] | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and how to tell about it."""
    parser.add_argument(
        "target",
        metavar="RUN_ID|FILE",
        help="a run id of --metrics-dir, or of a run whose copy is in the bucket, or a metrics file",
    )
    parser.add_argument("--retry-failed", action="store_true", help="give failed chains a new set of attempts")
    parser.add_argument(
        "--force",
        action="store_true",
        help="go on without proof that no other orchestrator does; make sure of that first, or two of them work on it",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """As `start`; 0 for a run that has finished. Raises UsageError, EnvironmentRefused, KeyboardInterrupt."""
    from orchestrator.commands._ending import say, tell, telling_what_is_kept
    from orchestrator.fleets import waking
    from orchestrator.interrupts import insisting
    from orchestrator.report import metrics_file
    from orchestrator.report.live import progress_view
    from orchestrator.report.tally import Tally
    from orchestrator.run import history, preflight, resumption, site
    from orchestrator.run.execution import go_on
    from orchestrator.run.journal import Journal
    from orchestrator.s3_copy import holding
    from stepbench import aws_errors, flags

    path, fetched = _here_or_fetched(settings, arguments.target)
    with ExitStack() as stack:
        # Before it is read, and before what was fetched is anybody's to remove: from here on nobody else writes it.
        journal = Journal(path, again=True)
        stack.callback(journal.close)
        with _not_left(path if fetched else None):
            file = metrics_file.read(path)
            if (said := _nothing_to_do(file, arguments.retry_failed)) is not None:
                resumption.refuse_flags(file, settings, flags.given(arguments))
                say(said)
                return 0
            past = history.read(file.lines)
            decided = resumption.settings_for(file, past, settings, flags.given(arguments))
            place = stack.enter_context(site.opened(decided))
            stack.enter_context(aws_errors.worded("orchestrator", place.settings))
            preflight.check(place.settings, place.clients)
            waking.wake(place.settings, say)
            keeping, newest = stack.enter_context(
                holding.taken_up(file, past, place, journal, force=arguments.force, say=say)
            )
        if newest is not file:
            if (said := _nothing_to_do(newest, arguments.retry_failed)) is not None:
                keeping.end()  # the lease that was taken for nothing goes, as after any run
                say(said)
                return 0
            file, past = newest, history.read(newest.lines)
        journal.cut(file.whole_bytes, through=place.settings.metrics_fsync)
        place = site.checking(place, keeping.check)
        plan = file.run.plan
        with telling_what_is_kept(plan, place, journal), progress_view(sys.stderr, arguments.quiet) as view:
            tally = Tally(plan, view.update, place.no_worker_warning_seconds)
            tally.remember(file.lines)
            with insisting():
                channel = go_on(
                    plan, place, past, keeping.epoch, journal, tally.saw, retry_failed=arguments.retry_failed
                )
        return tell(plan, place, journal, channel, keeping, as_json=arguments.json)


@contextmanager
def _not_left(fetched: Path | None) -> Iterator[None]:
    """A copy that was fetched for a run that is not gone on with is removed: it grows old."""
    from orchestrator.commands._ending import say

    try:
        yield
    except BaseException:
        if fetched is not None:
            fetched.unlink(missing_ok=True)
            say(f"Removed {fetched} again")
        raise


def _here_or_fetched(settings: Settings, target: str) -> tuple[Path, bool]:
    """The metrics file; that of a run id that is not in --metrics-dir is made there from the copy in S3: true."""
    from orchestrator.commands._ending import say
    from orchestrator.report.locate import find, is_run_id, path_of
    from orchestrator.s3_copy.fetching import copy_of, fetch
    from stepbench import aws_errors
    from stepbench.aws import AwsConfig, Clients

    path = path_of(settings.metrics_dir, target)
    if is_run_id(target) and not path.exists():
        with aws_errors.worded("orchestrator", settings):
            copy = copy_of(target, settings, Clients(AwsConfig.of(settings)))
            if copy is not None and fetch(copy, path):
                say(f"There is no {path}: made it from the copy in {copy.place}")
                return path, True
    return find(settings.metrics_dir, target), False


def _nothing_to_do(file: MetricsFile, retry_failed: bool) -> str | None:
    """A sentence about a run that has finished."""
    from orchestrator.report.doubts import plural
    from orchestrator.report.statistics import summarise

    if file.summary is None:
        return None
    counts = summarise([file]).counts
    if retry_failed and counts.chains_failed:
        return None
    failed = f", {counts.chains_failed} failed (--retry-failed tries them again)" if counts.chains_failed else ""
    return (
        f"Run {file.run.run_id} has finished: {counts.chains_ok} of {plural(counts.chains, 'chain')} done{failed}. "
        f"python -m orchestrator report {shlex.quote(str(file.path))} shows its figures."
    )
