"""Whether a run may still be going on. In doubt it is: what is kept can be removed later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.run.results_queue import RETENTION_SECONDS
from orchestrator.upkeep.local_file import LocalFile
from orchestrator.upkeep.remains import Remains
from orchestrator.upkeep.words import SECONDS_PER_DAY, age

DEFAULT_OLDER_THAN_SECONDS = 7.0 * SECONDS_PER_DAY
CLOCKS_DIFFER_SECONDS = 1_200.0
"""At most, with something to spare: AWS puts up with 15 minutes,
see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""
LEASE_FRESH_SECONDS = CLOCKS_DIFFER_SECONDS
"""It is renewed every few seconds; that is nothing beside the clocks."""


@dataclass(frozen=True)
class Terms:
    """How long nothing must have been heard of a run before it counts as over."""

    older_than_seconds: float | None
    """As asked for; null where nothing was said."""
    run_is_named: bool
    """The user asked for this one run."""
    step_expiry_seconds: float
    """For runs whose own is not known here."""

    def quiet_seconds(self, local: LocalFile, *, has_ended: bool) -> float:
        """At once for a run that is named and known to have ended; steps of any other may live until they expire."""
        unless_told = 0.0 if self.run_is_named else DEFAULT_OLDER_THAN_SECONDS
        asked = unless_told if self.older_than_seconds is None else self.older_than_seconds
        if has_ended:
            return asked
        return max(asked, local.step_expiry_seconds or self.step_expiry_seconds)


def why_kept(remains: Remains, local: LocalFile, terms: Terms, now: datetime) -> str | None:
    """The reason why this run may be going on; null for one that nothing uses any more."""
    match local.state:
        case "at work":
            return "its orchestrator is at work on this machine"
        case "unfinished":
            return f"it has not finished: resume it, or give it up by moving {local.path} elsewhere"
        case "unreadable":
            return f"{local.path} cannot be read, so nobody knows; move it elsewhere if the run is over"
    later = _sign_after_the_end(remains, local)
    quiet_seconds = terms.quiet_seconds(local, has_ended=local.state == "finished" and later is None)
    return _why_in_use(remains, now) or _why_too_young(remains, now, quiet_seconds, later)


def _sign_after_the_end(remains: Remains, local: LocalFile) -> str | None:
    """What a finished run has no more: from a copy of its file, failed chains may have been begun again elsewhere."""
    if local.written is None or local.state != "finished":
        return None
    if remains.queue is not None:
        return "its results queue is there"
    if (remains.last_sign - local.written).total_seconds() > CLOCKS_DIFFER_SECONDS:
        return f"something of it is younger than {local.path}"
    return None


def _why_in_use(remains: Remains, now: datetime) -> str | None:
    if remains.lease_written is not None and (now - remains.lease_written).total_seconds() < LEASE_FRESH_SECONDS:
        return f"it may be going on elsewhere: its lease in the bucket is younger than {age(LEASE_FRESH_SECONDS)}"
    if remains.queue is not None and remains.queue.messages:
        return (
            f"its results queue holds messages (about {remains.queue.messages}), which whoever goes on with it would "
            f"take; SQS drops them {RETENTION_SECONDS // SECONDS_PER_DAY} days after they were sent"
        )
    return None


def _why_too_young(remains: Remains, now: datetime, quiet_seconds: float, later: str | None) -> str | None:
    age_seconds = (now - remains.last_sign).total_seconds()
    if age_seconds >= quiet_seconds:
        return None
    because = f"; {later}, so it may have been gone on with elsewhere" if later else ""
    return f"its last sign is {age(age_seconds)} old; it counts as over after {age(quiet_seconds)}{because}"
