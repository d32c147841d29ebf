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
    from orchestrator.report.live import progress_view
    from orchestrator.report.tally import Tally
    from orchestrator.run import first_payload, single, site
    from stepbench import aws_errors
    from stepbench.channels import traits

    identity = single.Identity.new(settings.metrics_dir)
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
        run = stack.enter_context(single.begun(identity, place, settings, say, warn_of_distance=not arguments.quiet))
        with telling_what_is_kept(run.plan, run.site, run.journal), progress_view(sys.stderr, arguments.quiet) as view:
            tally = Tally(run.plan, view.update, run.site.no_worker_warning_seconds)
            channel = run.execute(payload, tally.saw)
        return tell(run.plan, run.site, run.journal, channel, run.keeping, as_json=arguments.json)
