"""The lease: the object that says which orchestrator may go on with a run, held by writing it anew again and again.

It is made and renewed by conditional writes (If-None-Match, If-Match), of which S3 lets one win. Who holds it and
cannot renew it has been taken over. Nobody's wall clock is asked: whoever takes it over has watched, on a clock of its
own, that it stood still for several of its intervals. An orchestrator that died on this machine need not be waited for
where the kernel tells: it had the lock on the metrics file that we have now.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import clock_gettime, monotonic
from typing import Any, Literal

from botocore.exceptions import ClientError
from pydantic import ValidationError

from orchestrator.s3_copy.objects import Objects
from stepbench import machine
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.failures import error_code
from stepbench.samples import Frozen

INTERVALS_OF_STANDSTILL = 3
CLOCK_THAT_NEVER_SLEEPS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux has one beside its CLOCK_MONOTONIC, which stands still while the machine is suspended. That of macOS goes on,
but Python's `monotonic` is another clock there: https://github.com/python/cpython/issues/86273."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_REFUSED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"})
_FORBIDDEN = frozenset({"AccessDenied", "403"})  # also what S3 calls a missing object to those who may not list all
_NO_CONDITIONS = frozenset({"NotImplemented", "InvalidRequest", "InvalidArgument", "MethodNotAllowed"})
_OF_NO_OBJECT = f'"{"0" * 32}"'
"""An ETag."""

Sleep = Callable[[float], None]
Say = Callable[[str], None]


class TakenOver(EnvironmentRefused):
    """Another orchestrator goes on with the run."""


class FileIdentity(Frozen):
    """One file as one running kernel knows it; a lock on it is a lock on that file and no other."""

    boot: str
    device: int
    inode: int


class Lease(Frozen):
    """What the object says. No two that are written are the same, so no two have the same ETag."""

    v: Literal[1] = 1
    run: str
    epoch: int
    holder: str | None
    """A name that no other process has; null: given back."""
    renewals: int
    interval_seconds: float
    conditional: bool
    """The store honours conditional writes."""
    host: str
    metrics_file: str
    file: FileIdentity | None


def new_lease(run_id: str, path: Path, epoch: int, interval_seconds: float) -> Lease:
    """For this process, whose metrics file is `path`."""
    return Lease(
        run=run_id,
        epoch=epoch,
        holder=secrets.token_hex(16),
        renewals=0,
        interval_seconds=interval_seconds,
        conditional=True,
        host=machine.host_name(),
        metrics_file=str(path.resolve()),
        file=identity_of(path),
    )


def identity_of(path: Path) -> FileIdentity | None:
    """Null where the kernel does not tell."""
    try:
        boot = BOOT_ID.read_text().strip()
    except OSError:
        return None
    found = path.stat()
    return FileIdentity(boot=boot, device=found.st_dev, inode=found.st_ino)


@dataclass(frozen=True, slots=True)
class Found:
    """The object as it was read."""

    lease: Lease
    etag: str


class NoLease(EnvironmentRefused):
    """The object is not of our making, or of a newer version's."""


class _Refused(Exception):
    """The object is not as it was thought to be."""


class _NoConditions(Exception):
    """The store refuses conditional writes as such."""

    def __init__(self, answer: ClientError) -> None:
        super().__init__(answer)
        self.answer = answer


class LeaseObject:
    """Every method raises the SDK's errors, and NoLease."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._key = objects.names.lease

    def read(self) -> Found | None:
        if not self._objects.has(self._key):
            return None
        try:
            answer = self._objects.client.get_object(Bucket=self._objects.bucket, Key=self._key)
            return Found(Lease.model_validate_json(answer["Body"].read()), answer["ETag"])
        except ValidationError as error:
            raise NoLease(
                f"s3://{self._objects.bucket}/{self._key} is no lease of this version's; --force takes the run over, "
                "once you know that nobody goes on with it"
            ) from error
        except ClientError as error:
            if error_code(error) in _REFUSED:  # gone since it was listed
                return None
            raise

    def create(self, lease: Lease) -> Found | None:
        """Where there is none; null where there is one after all. Finds out whether the store honours conditions."""
        try:
            made = Found(lease, self._put(lease, IfNoneMatch="*"))
            if self._refuses(lease, IfNoneMatch="*") and self._refuses(lease, IfMatch=_OF_NO_OBJECT):
                return made
        except _Refused:
            return None
        except _NoConditions:
            pass
        return self._overwrite(_renewed(lease, conditional=False))

    def replace(self, lease: Lease, before: Found) -> Found | None:
        """In place of what was read; null where that is no more there."""
        if not before.lease.conditional:  # as well as can be: two at the same moment both believe that they have it
            return self._overwrite(lease) if self.read() == before else None
        try:
            return Found(lease, self._put(lease, IfMatch=before.etag))
        except _Refused:
            return None
        except _NoConditions as error:  # it took them once
            raise error.answer from error.answer.__cause__

    def delete(self) -> None:
        self._objects.client.delete_object(Bucket=self._objects.bucket, Key=self._key)

    def _refuses(self, lease: Lease, **condition: str) -> bool:
        """Whether a write is refused whose condition does not hold."""
        try:
            self._put(_renewed(lease), **condition)
        except _Refused:
            return True
        return False

    def _overwrite(self, lease: Lease) -> Found:
        return Found(lease, self._put(lease))

    def _put(self, lease: Lease, **condition: str) -> str:
        """The ETag."""
        arguments: Any = {**condition, **self._objects.encryption, "Body": lease.model_dump_json().encode()}
        expected = _REFUSED | _FORBIDDEN if "IfMatch" in condition else _REFUSED
        try:
            answer = self._objects.client.put_object(Bucket=self._objects.bucket, Key=self._key, **arguments)
        except ClientError as error:
            code = error_code(error)
            if condition and code in _NO_CONDITIONS:
                raise _NoConditions(error) from error
            if not condition or code not in expected:
                raise
            found = self.read()
            if found is not None and found.lease == lease:
                return found.etag  # the answer to a first try was lost, and the SDK has tried again
            if found is not None and code in _FORBIDDEN:
                raise
            raise _Refused from error
        return answer["ETag"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on two clocks of this machine."""

    seconds: float
    """Time in which the machine was suspended counts: whoever watches a lease is another machine."""
    awake_seconds: float
    """It does not count: nothing could be tried in it."""

    @classmethod
    def now(cls) -> Moment:
        return cls(clock_gettime(CLOCK_THAT_NEVER_SLEEPS), monotonic())


class Held:
    """A lease that this process has. Not for several threads at once."""

    def __init__(self, kept: LeaseObject, found: Found, begun: Moment, *, made_anew: bool) -> None:
        """`begun`: when the write of what is `found` began. `made_anew`: there was none before."""
        self._made_anew = made_anew
        self._kept = kept
        self._found = found
        self._begun = begun

    @property
    def lease(self) -> Lease:
        return self._found.lease

    @property
    def silent_seconds(self) -> float:
        """For how long nothing was written, at most: since the last write began that came about."""
        return Moment.now().seconds - self._begun.seconds

    @property
    def silent_awake_seconds(self) -> float:
        """As `silent_seconds`, without the time in which this machine was suspended."""
        return Moment.now().awake_seconds - self._begun.awake_seconds

    @property
    def may_be_lost(self) -> bool:
        """Whoever watched it may have it by now. Without conditions nobody watches: then it takes --force."""
        return self.lease.conditional and self.silent_seconds >= INTERVALS_OF_STANDSTILL * self.lease.interval_seconds

    def renew(self, least_epoch: int = 0) -> None:
        """Raises TakenOver."""
        begun = Moment.now()
        epoch = max(self.lease.epoch, least_epoch)
        made = self._kept.replace(_renewed(self.lease, epoch=epoch), self._found)
        if made is not None:
            self._begun = begun
        else:  # it may be that an earlier one came about whose answer was lost
            made = self._kept.read()
        if made is None:
            raise TakenOver(
                f"the lease of run {self.lease.run} was removed from S3, so this orchestrator has stopped: nobody can "
                f"tell who may go on; what it measured is kept in {self.lease.metrics_file}, and "
                f"python -m orchestrator resume {self.lease.run} goes on with it"
            )
        if made.lease.holder != self.lease.holder:
            raise TakenOver(
                f"another orchestrator has taken over run {self.lease.run}: its lease in S3 is no more this one's, so "
                f"this one has stopped; what it measured is kept in {self.lease.metrics_file}"
            )
        self._found = made

    def undo(self) -> None:
        """It was taken for nothing: a lease where there was none would tell of a run that goes on."""
        if self._made_anew:
            self.end()
        else:
            self.give_back()

    def give_back(self) -> None:
        """Nobody need wait for this process any more."""
        self._kept.replace(_renewed(self.lease, holder=None), self._found)

    def end(self) -> None:
        """The run is over."""
        self._kept.delete()


def claim(kept: LeaseObject, mine: Lease, *, force: bool, sleep: Sleep, say: Say) -> Held:
    """The lease for this process, with a higher epoch than any before; waits where it may be held by another.

    `force`: does not wait, nor ask for a proof. Raises UsageError where the run goes on elsewhere or nobody can tell.
    """
    found = _found(kept, force=force)
    begun = Moment.now()
    if found is None:
        made = kept.create(mine)
    else:
        if not (force or _is_free(found.lease, mine)):
            _watch(kept, found, sleep, say)
            begun = Moment.now()
        epoch = max(mine.epoch, found.lease.epoch + 1)
        made = kept.replace(mine.model_copy(update={"epoch": epoch, "conditional": found.lease.conditional}), found)
    if made is None:
        raise UsageError(f"run {mine.run} goes on elsewhere: another orchestrator has just taken it up")
    return Held(kept, made, begun, made_anew=found is None)


def _found(kept: LeaseObject, *, force: bool) -> Found | None:
    try:
        return kept.read()
    except NoLease:
        if not force:
            raise
        kept.delete()
        return None


def _is_free(lease: Lease, mine: Lease) -> bool:
    """It was given back, or its holder had the lock that we have now, and is dead."""
    return (lease.holder is None and lease.conditional) or (lease.file is not None and lease.file == mine.file)


def _watch(kept: LeaseObject, found: Found, sleep: Sleep, say: Say) -> None:
    lease, elsewhere = found.lease, f"on {found.lease.host} ({found.lease.metrics_file})"
    if not lease.conditional:
        raise UsageError(
            f"run {lease.run} may be going on {elsewhere}: the store honours no conditional writes, so nobody can "
            "tell; once that orchestrator has ended for certain, resume the run with --force"
        )
    say(
        f"Run {lease.run} was going on {elsewhere}: watching its lease in S3 for "
        f"{INTERVALS_OF_STANDSTILL * lease.interval_seconds:g} s, to see whether it still is."
    )
    for _ in range(INTERVALS_OF_STANDSTILL):
        sleep(lease.interval_seconds)
        if kept.read() != found:
            raise UsageError(
                f"run {lease.run} is still going on {elsewhere}, or has just ended there: its lease in S3 has changed; "
                f"python -m orchestrator tail {lease.run} follows it"
            )


def _renewed(lease: Lease, **changes: Any) -> Lease:
    return lease.model_copy(update={"renewals": lease.renewals + 1, **changes})
