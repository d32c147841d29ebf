"""One run at a place that is up: what `start` and `compare` share.

From the look at its bucket and queues to its closed metrics file. Whoever calls tells the user about it, and what is
kept when it is broken off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.channels import Channel
from orchestrator.fleets import waking
from orchestrator.interrupts import insisting
from orchestrator.run import closing, journal, plan, preflight, round_trip, site
from orchestrator.run.closing import Ending
from orchestrator.run.execution import Observer, execute
from orchestrator.run.first_payload import FirstPayload
from orchestrator.run.journal import Journal
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from orchestrator.s3_copy import holding
from orchestrator.s3_copy.keeping import Keeping
from stepbench.settings import Settings


@dataclass(frozen=True)
class Identity:
    """Of a run that is about to begin."""

    now: datetime
    run_id: str
    path: Path
    """Of its metrics file."""

    @classmethod
    def new(cls, metrics_dir: Path) -> Identity:
        now = plan.utc_now()
        run_id = plan.new_run_id(now)
        return cls(now, run_id, journal.path_of(metrics_dir, run_id))


@dataclass(frozen=True)
class Run:
    """It has its metrics file, and nothing of it is sent yet."""

    plan: Plan
    site: Site
    journal: Journal
    keeping: Keeping

    def execute(self, payload: FirstPayload, observe: Observer) -> Channel:
        """Every chain to its end; the channel is for `close`. Raises the SDK's errors and KeyboardInterrupt."""
        with insisting():
            return execute(self.plan, self.site, payload, self.journal, observe)

    def close(self, channel: Channel, *, keeps_failed: bool = True) -> Ending:
        """See `closing.close`."""
        return closing.close(self.plan, self.site, self.journal, channel, self.keeping, keeps_failed=keeps_failed)


@contextmanager
def begun(
    identity: Identity,
    place: Site,
    settings: Settings,
    say: Callable[[str], None],
    *,
    warn_of_distance: bool = True,
) -> Iterator[Run]:
    """The run that `place.settings` ask for; `settings` are the user's own, for the metrics file's first line.

    Raises the SDK's errors before anything is created, UsageError or EnvironmentRefused for the metrics file.
    """
    preflight.check(place.settings, place.clients)
    waking.wake(place.settings, say)
    made = plan.make(
        place.settings,
        environment=place.environment,
        run_id=identity.run_id,
        date=f"{identity.now:%Y-%m-%d}",
        metrics_file=identity.path,
    )
    queue_url = None if place.own_stack else made.steps_queue_url
    round_trips_ns = round_trip.to_sqs(place.clients.sqs, queue_url) if queue_url else ()
    if place.environment == "aws" and round_trip.is_far(round_trips_ns) and warn_of_distance:
        say(round_trip.warning(round_trips_ns))
    log = journal.begin(identity.path, made, settings, round_trips_ns)
    try:
        with holding.begun(made, place, log, say) as keeping:
            yield Run(made, site.checking(place, keeping.check), log, keeping)
    finally:
        log.close()
