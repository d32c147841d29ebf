"""What an orchestrator does beside its run: a thread of its own renews the lease and copies new lines to S3.

Only that thread writes the lease and the parts, so nothing is locked and no step's time has any of it. What it learns
the run asks for: `check` at each turn of its loop, `prove` where nothing may follow that only the holder may do.
"""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Protocol, Self

import structlog

from orchestrator.run.journal import Journal
from orchestrator.s3_copy.lease import Held, TakenOver
from orchestrator.s3_copy.objects import Objects
from stepbench.errors import EnvironmentRefused

MAX_RENEWAL_SECONDS = 10
"""However seldom lines are copied: whoever takes over waits for several of these."""
MIN_INTERVAL_SECONDS = 5.0
"""Of the lease, for those who wait: a machine that pauses, or a call that is tried again, must not lose a run."""
MAX_PART_BYTES = 8_000_000
ANSWER_SECONDS = 1.0
"""How often whoever waits for the thread looks whether it still lives."""
PARTING_SECONDS = 30.0
"""At the end of an orchestrator that did not end its run: then it goes, with or without its last part."""

log = structlog.get_logger()


class Keeping(Protocol):
    """The copy in S3 as a run sees it."""

    on: bool
    epoch: int
    """Of everything that this orchestrator dispatches and copies."""

    def check(self) -> None:
        """Raises TakenOver as soon as it is known, EnvironmentRefused where S3 was silent so long that it may be.

        Before that it waits, STALL_TIMEOUT long, for a renewal: one that comes about proves that nobody has taken over.
        """
        ...

    def prove(self) -> None:
        """As `check`, but S3 is asked now."""
        ...

    def end(self) -> None:
        """The run is over and its file whole: copies it, and takes away what was needed on the way."""
        ...


class NotKept:
    """No copy is kept during this run."""

    on = False

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def check(self) -> None:
        return None

    def prove(self) -> None:
        return None

    def end(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Base:
    """What a copy goes on from: the parts up to one epoch, and so many bytes of the file."""

    epoch: int
    copied_bytes: int


def renewal_seconds(sync_seconds: int) -> float:
    """Between two turns of the thread; a whole number of these makes METRICS_SYNC_SECONDS."""
    return sync_seconds / math.ceil(sync_seconds / MAX_RENEWAL_SECONDS)


def interval_seconds(sync_seconds: int) -> float:
    """Of the lease: it is renewed at least so often."""
    return max(MIN_INTERVAL_SECONDS, renewal_seconds(sync_seconds))


class Kept:
    """A copy that is kept from `with` to its end. Raises the SDK's errors at the end of the run only."""

    on = True

    def __init__(
        self,
        objects: Objects,
        held: Held,
        journal: Journal,
        sync_seconds: int,
        base: Base,
        patience_seconds: float,
        worded: Callable[[BaseException], str],
    ) -> None:
        """`base` is in the copy already. `worded` says for a person what S3 refused.

        `patience_seconds`: how long S3 may take no renewal before a run that would need one ends.
        """
        self.epoch = held.lease.epoch
        self._objects = objects
        self._held = held
        self._journal = journal
        self._sync_seconds = sync_seconds
        self._parent = base.epoch
        self._copied_bytes = base.copied_bytes
        self._patience_seconds = patience_seconds
        self._piece: tuple[int, bytes] | None = None
        self._due = monotonic()
        self._worded = worded
        self._told: str | None = None
        self._lost: TakenOver | None = None
        self._died: BaseException | None = None
        self._over = False
        self._asked: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = Thread(target=self._live, name="s3-copy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked.put(None)
        self._thread.join(PARTING_SECONDS)
        if self._thread.is_alive():
            log.warning("S3 does not answer: the copy of the metrics file lacks its last lines", run=self._run)

    def check(self) -> None:
        if self._held.may_be_lost:
            self._ask()  # a machine that slept may have lost nothing
            self._wait_for_renewal()
        self._raise_known()

    def prove(self) -> None:
        self._ask()
        self.check()

    def _wait_for_renewal(self) -> None:
        """Until S3 takes one, or another orchestrator's is found there, or patience is at its end.

        That of a machine that slept begins when it wakes: its network may take a while.
        """
        if self._is_unproven:
            log.warning("this run waits until S3 takes a renewal of its lease", run=self._run)
        while self._is_unproven and self._held.silent_awake_seconds < self._patience_seconds:
            sleep(ANSWER_SECONDS)
            self._ask()

    @property
    def _is_unproven(self) -> bool:
        return self._held.may_be_lost and self._lost is None and self._thread.is_alive()

    def _ask(self) -> None:
        """For a turn now; returns when the thread has made it, or makes none any more."""
        answered = Event()
        self._asked.put(answered)
        while not answered.wait(ANSWER_SECONDS) and self._thread.is_alive():
            pass

    def _raise_known(self) -> None:
        for error in (self._lost, self._died):
            if error is not None:
                raise error
        if self._held.may_be_lost:
            raise EnvironmentRefused(
                f"S3 has taken no renewal of this run's lease for {self._held.silent_seconds:.0f} s, so another "
                "orchestrator may go on with the run by now; this one has stopped. `resume` goes on with it once S3 "
                f"answers again{f' ({self._told})' if self._told else ''}"
            )

    def end(self) -> None:
        self.prove()
        self._objects.put_whole(self._journal.path, self.epoch)
        self._over = True
        self.prove()  # from here on no part is put; the lease is renewed for as long as it takes to remove them
        self._objects.remove_parts(self.epoch)
        self._asked.put(None)
        self._thread.join()
        self.check()
        self._held.end()

    @property
    def _run(self) -> str:
        return self._held.lease.run

    # ------------------------------------------------------------------------------------------- in the thread's hands

    def _live(self) -> None:
        try:
            self._live_on()
        except BaseException as error:  # noqa: BLE001 # told to whoever waits for this thread
            self._died = error

    def _live_on(self) -> None:
        while (asked := self._next()) is not None:
            self._turn()
            asked.set()
        if not self._over:
            self._due = monotonic()
            self._tried(self._copy)
            self._tried(self._held.give_back)

    def _next(self) -> Event | None:
        """What asks for a turn; null for the end."""
        try:
            return self._asked.get(timeout=renewal_seconds(self._sync_seconds))
        except queue.Empty:
            return Event()

    def _turn(self) -> None:
        if self._tried(self._held.renew) and self._tried(self._copy) and self._told is not None:
            log.warning("the copy of the metrics file in S3 goes on", run=self._run)
            self._told = None

    def _tried(self, work: Callable[[], None]) -> bool:
        """Whatever S3 does, a run goes on: it is tried again at the next turn."""
        if self._lost is not None:
            return False
        try:
            work()
        except TakenOver as error:
            self._lost = error
        except Exception as error:  # noqa: BLE001 # nothing that befalls a copy may end the run
            reason = self._worded(error)
            if reason != self._told:
                log.warning("the copy of the metrics file in S3 does not go on; it is tried again", error=reason)
            self._told = reason
            return False
        return self._lost is None

    def _copy(self) -> None:
        if self._over or monotonic() < self._due:
            return
        while (piece := self._next_piece()) is not None:
            self._piece = piece  # what once had this name is put again as it was, whatever became of the first try
            self._objects.put_part(self.epoch, self._parent, *piece)
            self._copied_bytes += len(piece[1])
            self._piece = None
            if self._held.silent_seconds >= renewal_seconds(self._sync_seconds):
                self._held.renew()  # a backlog may take longer than whoever watches the lease waits
        self._due += self._sync_seconds * max(1, math.ceil((monotonic() - self._due) / self._sync_seconds))

    def _next_piece(self) -> tuple[int, bytes] | None:
        """Whole lines, and where they begin; null where there are none."""
        if self._piece is not None:
            return self._piece
        left_bytes = self._journal.whole_bytes - self._copied_bytes
        if left_bytes <= 0:
            return None
        with self._journal.path.open("rb") as file:
            file.seek(self._copied_bytes)
            data = file.read(min(left_bytes, MAX_PART_BYTES))
            data = data[: data.rfind(b"\n") + 1] or data + file.read(left_bytes - len(data))
        return self._copied_bytes, data
