"""A worker's end: how it is asked for, and in which order it comes about.

Each stage waits for the one before it:
  1. the intake asks for no more; what the long poll under way still brings is handed back
  2. what is held and not begun is handed back, and what has begun may finish within the grace time; after it, executors
     are killed and their messages handed back
  3. what is finished is published, and deleted after that
  4. the heartbeat stops last: until then nothing that is held may become visible
Beyond the grace time each has PARTING_SECONDS for its last calls and no more: AWS may be away meanwhile, and what is
still held then comes again by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog

from stepbench.queues import MAX_WAIT_SECONDS
from worker.backlog import Backlog
from worker.held import HeldStep
from worker.publisher import Publisher

PARTING_SECONDS = 5.0
"""For the last calls of a stage of the end, beyond the grace time: plenty where AWS answers."""
HURRY_HINT = "a second signal hurries it"
UNANSWERED_HINT = "what it still held comes again after VISIBILITY_TIMEOUT"

log = structlog.get_logger()


class Stop:
    """That a worker is to end, how urgently, and of what. Safe to use from all threads."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.hurried = threading.Event()
        self.error: BaseException | None = None
        """The first one that ended it; null if it was told to."""

    def ask(self) -> None:
        """Begin to end; called again: hurry."""
        if self.asked.is_set():
            self.hurried.set()
        self.asked.set()

    def ask_because_of(self, error: BaseException) -> None:
        self.error = self.error or error
        self.asked.set()


@dataclass(frozen=True, slots=True)
class Crew:
    """A worker's threads, by the stage of the end that they belong to."""

    intake: threading.Thread
    stands: list[threading.Thread]
    publisher: threading.Thread
    watchers: list[threading.Thread]


class Ending:
    """Carries out the end of one worker."""

    def __init__(
        self,
        stop: Stop,
        drain_timeout_seconds: float,
        backlog: Backlog,
        publisher: Publisher,
        begin: Callable[[str, Callable[[], None]], threading.Thread],
        hand_back: Callable[[list[HeldStep]], None],
        kill_executors: Callable[[], None],
    ) -> None:
        """`begin` begins a thread of that name. Threads that stand by killed executors hand their messages back."""
        self.abandoning = threading.Event()
        """The grace time is over: what is not done by now is for other workers."""
        self.over = threading.Event()
        """Nothing is held any more that this worker answers for."""
        self._stop = stop
        self._drain_timeout_seconds = drain_timeout_seconds
        self._backlog = backlog
        self._publisher = publisher
        self._begin = begin
        self._hand_back = hand_back
        self._kill_executors = kill_executors

    def carry_out(self, crew: Crew) -> None:
        """After it was asked for; returns when all is in order, or was waited for long enough."""
        seconds = self._drain_timeout_seconds
        log.info("worker ends", busy_executors=self._backlog.busy(), drain_timeout_seconds=seconds, hint=HURRY_HINT)
        deadline = monotonic() + seconds
        unanswered = self._end_steps(crew, deadline)
        self._publisher.close()
        self._join([crew.publisher], deadline)
        self._publisher.giving_up.set()
        unanswered += _part_from([crew.publisher])
        if crew.intake.is_alive():
            log.info("waits for the receive that is under way", at_most_seconds=MAX_WAIT_SECONDS, hint=HURRY_HINT)
        self._join([crew.intake], deadline)
        self.over.set()
        unanswered += _part_from(crew.watchers)
        if unanswered:
            log.warning("ends before its last calls were answered", threads=unanswered, hint=UNANSWERED_HINT)

    def _end_steps(self, crew: Crew, deadline: float) -> list[str]:
        """The names of the threads that are not done with them."""
        threads = [self._begin("hand-back", partial(self._hand_back, self._backlog.close())), *crew.stands]
        self._join(threads, deadline)
        if any(stand.is_alive() for stand in crew.stands):
            self.abandoning.set()
            self._kill_executors()
        return _part_from(threads)

    def _join(self, threads: list[threading.Thread], deadline: float) -> None:
        """Wait for threads until the deadline, or until a second signal says to hurry."""
        for thread in threads:
            while thread.is_alive() and monotonic() < deadline and not self._stop.hurried.is_set():
                thread.join(0.1)


def _part_from(threads: list[threading.Thread]) -> list[str]:
    """Wait for the last calls of threads, but not for long: the names of those that are not done then."""
    deadline = monotonic() + PARTING_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    return [thread.name for thread in threads if thread.is_alive()]
