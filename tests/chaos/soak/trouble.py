"""What befalls a fleet that is not to notice: one small trouble after the other, at random."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

from orchestrator.local.stack import Stack
from tests.runs.fleet import Fleet
from tests.runs.programs import WorkerProgram

OUTAGE_SECONDS = (0.1, 2.0)


class Trouble:
    """`make` one at a time."""

    def __init__(self, stack: Stack, fleet: Fleet, worker: WorkerProgram, spared: int, random: Random) -> None:
        """`spared`: an executor's process id that nothing happens to."""
        self._random = random
        self._fleet = fleet
        self._worker = worker
        self._spared = spared
        self._emulators = {child.name: child.process.pid for child in stack._children}
        self.made: Counter[str] = Counter()
        self.results_queue_url = ""

    def make(self) -> None:
        kinds: list[Callable[[], str]] = [
            self._kill_an_executor,
            self._stop_an_emulator,
            lambda: self._deliver_twice("step message", self._fleet.steps_queue_url),
            lambda: self._deliver_twice("completion", self.results_queue_url),
        ]
        self.made[self._random.choice(kinds)()] += 1

    def _kill_an_executor(self) -> str:
        pids = [pid for pid in self._worker.executor_pids() if pid != self._spared]
        if not pids:
            return "troubles that found nothing to harm"
        with suppress(ProcessLookupError):
            os.kill(self._random.choice(pids), signal.SIGKILL)
        return "executors killed"

    def _stop_an_emulator(self) -> str:
        name = self._random.choice(list(self._emulators))
        os.kill(self._emulators[name], signal.SIGSTOP)
        try:
            time.sleep(self._random.uniform(*OUTAGE_SECONDS))
        finally:
            os.kill(self._emulators[name], signal.SIGCONT)
        return f"outages of {name}"

    def _deliver_twice(self, what: str, url: str) -> str:
        queue = self._fleet.queue(url)
        taken = queue.receive(1, 1)
        for message in taken:
            self._fleet.clients.sqs.send_message(QueueUrl=url, MessageBody=message.body)
            queue.hide([message.receipt], 0)
        return f"{what}s duplicated" if taken else "troubles that found nothing to harm"
