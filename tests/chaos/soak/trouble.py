"""What befalls a fleet that is not to notice: one small trouble after the other, at random."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

from tests.chaos.faults.catalogue import FAULTS, SMALL, Planned, Round
from tests.chaos.faults.proxy import Proxies
from tests.runs.fleet import Fleet
from tests.runs.programs import WorkerProgram

OUTAGE_SECONDS = (0.1, 2.0)
MADE_ALL_THE_TIME = {
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessageBatch",
    "GetObject",
    "PutObject",
}
DISTURBED = [call for call in SMALL.calls if call.name in MADE_ALL_THE_TIME]


class Trouble:
    """`make` one at a time."""

    def __init__(self, between: Proxies, fleet: Fleet, worker: WorkerProgram, spared: int, random: Random) -> None:
        """`spared`: an executor's process id that nothing happens to."""
        self._random = random
        self._between = between
        self._fleet = fleet
        self._worker = worker
        self._spared = spared
        self.made: Counter[str] = Counter()
        self.results_queue_url = ""

    def make(self) -> None:
        kinds: list[Callable[[], str]] = [
            self._kill_an_executor,
            self._stop_an_emulator,
            self._disturb_a_call,
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
        return "kills of executors"

    def _stop_an_emulator(self) -> str:
        service = self._random.choice(["SQS", "S3"])
        with self._fleet.silent(service):
            time.sleep(self._random.uniform(*OUTAGE_SECONDS))
        return f"outages of the emulator of {service}"

    def _disturb_a_call(self) -> str:
        """The next call of some kind meets some fault."""
        call = self._random.choice(DISTURBED)
        fault = self._random.choice([fault for fault in FAULTS if call.can_meet(fault)])
        seed = self._random.randrange(2**32)
        self._between.begin(Round(seed, SMALL, (Planned(call, fault, after=0, times=1),)))
        return "faults of calls"

    def _deliver_twice(self, what: str, url: str) -> str:
        queue = self._fleet.queue(url)
        taken = queue.receive(1, 1)
        for message in taken:
            self._fleet.clients.sqs.send_message(QueueUrl=url, MessageBody=message.body)
            queue.hide([message.receipt], 0)
        return f"{what}s duplicated" if taken else "troubles that found nothing to harm"
