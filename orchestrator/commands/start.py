"""`start`: plan a run, run it, print where the time went."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "run chains of steps and print where the time went"
SETTINGS: tuple[str, ...] | None = None

EMBEDDED = "No bucket is configured (ORCH_BUCKET): everything runs on this machine, on emulated S3 and SQS."
STORE_ALONE = "No bucket is configured (ORCH_BUCKET): everything runs on this machine, on emulated S3 and no queue."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How to tell about the run."""
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when all chains are done, 1 when one failed. Raises UsageError, EnvironmentRefused, KeyboardInterrupt."""
    from orchestrator.commands._ending import say, tell, telling_what_is_kept
    from orchestrator.fleets import waking
    from orchestrator.interrupts import insisting
    from orchestrator.report.live import progress_view
    from orchestrator.report.tally import Tally
    from orchestrator.run import first_payload, journal, plan, preflight, round_trip, site
    from orchestrator.run.execution import execute
    from orchestrator.s3_copy import holding
    from stepbench import aws_errors
    from stepbench.channels import traits

    now = plan.utc_now()
    run_id = plan.new_run_id(now)
    path = journal.path_of(settings.metrics_dir, run_id)
    recipe = first_payload.Recipe.of(settings)
    with ExitStack() as stack:
        if settings.embedded and not arguments.quiet:
            print(EMBEDDED if traits(settings.channel).queues else STORE_ALONE, file=sys.stderr, flush=True)
        # Both take their time and a core each, and neither creates anything that stays.
        payload = stack.enter_context(first_payload.making(recipe, site.child_environment(settings)))
        if settings.payload_file is not None:  # what is wrong inside it is told before anything else is begun
            payload.wait_until_made()
        place = stack.enter_context(site.opened(settings))
        payload.wait_until_made()
        place.wait_until_working()
        stack.enter_context(aws_errors.worded("orchestrator", place.settings))
        preflight.check(place.settings, place.clients)
        waking.wake(place.settings, say)
        made = plan.make(
            place.settings, environment=place.environment, run_id=run_id, date=f"{now:%Y-%m-%d}", metrics_file=path
        )
        queue_url = None if place.own_stack else made.steps_queue_url
        round_trips_ns = round_trip.to_sqs(place.clients.sqs, queue_url) if queue_url else ()
        if place.environment == "aws" and round_trip.is_far(round_trips_ns) and not arguments.quiet:
            say(round_trip.warning(round_trips_ns))
        log = journal.begin(path, made, settings, round_trips_ns)
        keeping = stack.enter_context(holding.begun(made, place, log, say))
        place = site.checking(place, keeping.check)
        with telling_what_is_kept(made, place, log), progress_view(sys.stderr, arguments.quiet) as view:
            tally = Tally(made, view.update, place.no_worker_warning_seconds)
            with insisting():
                channel = execute(made, place, payload, log, tally.saw)
        return tell(made, place, log, channel, keeping, as_json=arguments.json)
