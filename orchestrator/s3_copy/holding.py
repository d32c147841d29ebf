"""Whether a run's copy is kept, and how one comes by its lease: at a start, and at a resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep, time

import structlog

from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run import history
from orchestrator.run.history import BEFORE_ANY_RESUME, History, next_epoch
from orchestrator.run.journal import Journal
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from orchestrator.s3_copy.fetching import catch_up
from orchestrator.s3_copy.keeping import Base, Keeping, Kept, NotKept, interval_seconds
from orchestrator.s3_copy.lease import Held, LeaseObject, Say, claim, new_lease
from orchestrator.s3_copy.objects import Objects
from stepbench import aws_errors

log = structlog.get_logger()


@contextmanager
def begun(plan: Plan, site: Site, journal: Journal, say: Say) -> Iterator[Keeping]:
    """For a run that begins. Raises the SDK's errors: a right that is missing is told before anything is sent."""
    if not _is_kept(site):
        yield NotKept(BEFORE_ANY_RESUME)
        return
    objects = Objects.of(site.clients.s3, plan)
    held = _claimed(objects, site, journal, BEFORE_ANY_RESUME, force=False, say=say)
    if not held.lease.conditional:
        say(
            "This store honours no conditional writes: `resume` on another machine will ask for --force, because "
            "nobody can tell there whether this run still goes on."
        )
    with _kept(objects, held, journal, Base(0, 0), plan, site) as kept:
        yield kept


@contextmanager
def taken_up(
    file: MetricsFile, past: History, site: Site, journal: Journal, *, force: bool, say: Say
) -> Iterator[tuple[Keeping, MetricsFile]]:
    """For a run that is resumed from `file`, whose lock `journal` has; the file again, with all that the copy has.

    Raises UsageError where the run goes on elsewhere, or went on there after this file, and the SDK's errors.
    """
    epoch = next_epoch(past.epoch, now_seconds=time())
    if not _is_kept(site):
        yield NotKept(epoch), file
        return
    objects = Objects.of(site.clients.s3, file.run.plan)
    held = _claimed(objects, site, journal, epoch, force=force, say=say)
    with _undone_unless_kept(held):
        listing = objects.listing()
        newest = metrics_file.read(file.path) if catch_up(objects, listing, file, past.epoch) else file
        # Of what the lease did not know: it was forced, or gone. And the copy may have taken its time.
        known = past if newest is file else history.read(newest.lines)
        _raise_above(held, max(listing.epoch, known.epoch))
    copied = listing.copied_bytes
    # A damaged copy is not gone on with, but made anew.
    base = Base(0, 0) if copied is None else Base(listing.epoch, copied)
    with _kept(objects, held, journal, base, newest.run.plan, site) as kept:
        yield kept, newest


def _kept(objects: Objects, held: Held, journal: Journal, base: Base, plan: Plan, site: Site) -> Kept:
    sync_seconds = site.settings.metrics_sync_seconds
    return Kept(objects, held, journal, sync_seconds, base, plan.stall_timeout_seconds, _worded(site))


def _raise_above(held: Held, known_epoch: int) -> None:
    held.renew(known_epoch + 1)
    if held.lease.epoch <= known_epoch:  # it was an earlier write that came about
        held.renew(known_epoch + 1)


def _is_kept(site: Site) -> bool:
    return site.settings.metrics_sync_seconds > 0 and not site.own_stack


def _claimed(objects: Objects, site: Site, journal: Journal, epoch: int, *, force: bool, say: Say) -> Held:
    interval = interval_seconds(site.settings.metrics_sync_seconds)
    mine = new_lease(objects.names.run_id, journal.path, epoch, interval)
    return claim(LeaseObject(objects), mine, force=force, sleep=sleep, say=say)


@contextmanager
def _undone_unless_kept(held: Held) -> Iterator[None]:
    try:
        yield
    except BaseException:
        try:
            held.undo()
        except Exception as error:  # noqa: BLE001 # whatever it was, it must not hide what ended this
            log.info("the lease is not given back", run=held.lease.run, error=str(error))
        raise


def _worded(site: Site) -> Callable[[BaseException], str]:
    def words(error: BaseException) -> str:
        return aws_errors.sentence_for(error, "orchestrator", site.settings) or f"{type(error).__name__}: {error}"

    return words
