"""One round: a run of real programs that are killed, one after the other, and begun again until the run has ended."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from orchestrator.local.stack import Stack
from stepbench.aws import Clients
from tests.chaos.figures import PromiseBroken
from tests.chaos.processes.points import Deaths, Kill
from tests.chaos.processes.verdict import FEW_ATTEMPTS, judge, judge_words
from tests.processes import PROC
from tests.runs.fleet import Fleet
from tests.runs.programs import RunProgram, WorkerProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

LOOK_SECONDS = 0.02
RANDOM_WITHIN_SECONDS = 1.5
HANG_SECONDS = 90.0
"""Longer than anything that has to be waited out here, on a busy machine too."""
QUICK = {"VISIBILITY_TIMEOUT": "2", "CLEANUP": "true", "METRICS_TO_S3": "true"}
KEPT_IN_S3 = {"METRICS_SYNC_SECONDS": "1"}
KEPT_IN_S3_EVERY_ROUNDS = 2
"""In those the orchestrator has a lease and copies its metrics file in parts, and dies at those calls too."""
FEW_ATTEMPTS_EVERY_ROUNDS = 6
"""In those chains may fail, and no step may have more."""
MAX_ATTEMPTS = 3
"""As by default, and one for each executor that is killed: no other death costs an attempt."""
REFUSED = "cannot be resumed"
DIED_BEFORE = "its run died before it began"
FINISHED = "has finished"
COUNTED_TWICE = re.compile(r"is a (second sample of|sample of .*, after one of)")


class Round:
    """`play` it once; `kills` tells which deaths there were."""

    def __init__(
        self, stack: Stack, clients: Clients, folder: Path, seed: int, deaths: Deaths, **variables: str
    ) -> None:
        """`variables` are for every program."""
        self._random = Random(seed)
        self._saboteur = Saboteur(folder)
        self._fleet = Fleet(stack, clients, folder)
        kept = KEPT_IN_S3 if seed % KEPT_IN_S3_EVERY_ROUNDS == 0 else {}
        self._variables = {**QUICK, **kept, **self._saboteur.variables, **variables}
        self._ordered = deaths.ordered
        self._to_come = list(deaths.one_by_one)
        self._open: dict[Kill, None] = {}
        few = seed % FEW_ATTEMPTS_EVERY_ROUNDS == 0
        self._max_attempts = FEW_ATTEMPTS if few else MAX_ATTEMPTS + deaths.of("executor")
        self._current: Kill | None = None
        self._random_at = 0.0
        self._workers: list[WorkerProgram] = []
        self._executors = self._random.choice(["1", "2"])
        self._progress: object = None
        self._progress_at = time.monotonic()
        self.kills: Counter[str] = Counter()
        self.lives: Counter[str] = Counter()
        self.samples = 0

    def play(self) -> None:
        """Raises PromiseBroken for the first promise that was."""
        try:
            for kill in self._ordered:
                self._order(kill, passes=0)
            self._live()
        finally:
            self._fleet.close()
        self._nothing_left_behind()

    def _live(self) -> None:
        for _ in range(self._random.choice([1, 1, 2])):
            self._new_worker()
        run = self._start()
        while (code := run.process.poll()) not in (0, 1):
            if code is not None:
                run = self._another_life(run, code)
            self._see_to_workers()
            self._see_to_kills(run)
            self._see_to_progress(run)
            time.sleep(LOOK_SECONDS)
        self._settle()
        outcome = run.outcome()
        judge_words(outcome.stderr)
        finished = FINISHED in outcome.stderr
        judge(self._fleet, run.folder, outcome, self._max_attempts, closed=not finished)
        self.samples = len(outcome.samples)

    # --- the orchestrator ---------------------------------------------------------------------------------------------

    def _start(self) -> RunProgram:
        random = self._random
        flags = [
            "--json",
            f"--chains={random.randint(3, 4)}",
            f"--steps={random.randint(3, 5)}",
            f"--concurrency={random.randint(1, 3)}",
            f"--warmup={random.choice([0, 0, 1])}",
            "--stall-timeout=2",
            f"--max-attempts={self._max_attempts}",
        ]
        self.lives["starts"] += 1
        return self._fleet.start(*flags, **self._variables)

    def _another_life(self, run: RunProgram, code: int) -> RunProgram:
        """After a death: the run goes on or, where nothing of it was sent, another one begins."""
        judge_words(run.stderr)
        maker_died = code == 3 and "the process that makes the first payload ended with" in run.stderr
        refused = code in (2, 3) and (REFUSED in run.stderr or DIED_BEFORE in run.stderr)
        if COUNTED_TWICE.search(run.stderr):  # the run itself finds it, when it is closed
            raise PromiseBroken("samples counted twice", run.stderr)
        if code != -signal.SIGKILL and not maker_died and not refused:
            raise PromiseBroken("other promises broken", f"the orchestrator ended with {code}:\n{run.stderr}")
        lines = run.lines()
        has_begun = any(line.get("event") == "first_payload" for line in lines)
        if refused and has_begun:
            raise PromiseBroken("samples lost", f"a run with a first payload is not gone on with:\n{run.stderr}")
        if refused or not list(run.folder.glob("out/metrics-*.jsonl")):
            return self._start()
        [path] = run.folder.glob("out/metrics-*.jsonl")
        self.lives["resumes"] += 1
        run_id = path.stem.removeprefix("metrics-")
        return self._fleet.start_resume(run.folder, run_id, "--json", **self._variables)

    # --- workers ------------------------------------------------------------------------------------------------------

    def _new_worker(self) -> None:
        self._workers.append(self._fleet.start_worker(**self._variables, EXECUTORS=self._executors))
        self.lives["workers"] += 1

    def _see_to_workers(self) -> None:
        for worker in list(self._workers):
            code = worker.process.poll()
            if code is None:
                continue
            judge_words(worker.stderr)
            if code != -signal.SIGKILL:
                raise PromiseBroken("other promises broken", f"a worker ended with {code}:\n{worker.stderr}")
            self._workers.remove(worker)
            self._new_worker()

    # --- kills --------------------------------------------------------------------------------------------------------

    def _order(self, kill: Kill, passes: int) -> None:
        self._saboteur.order_at(kill.what, kill.point, passes)
        self._open[kill] = None

    def _see_to_kills(self, run: RunProgram) -> None:
        for kill in [kill for kill in self._open if not self._saboteur.is_open(kill.what, kill.point)]:
            self._died(kill)
        if self._current is not None and self._current.is_at_random and time.monotonic() >= self._random_at:
            self._kill_at_random(self._current, run)
        if self._current is None and self._to_come:
            self._take_up(self._to_come.pop(0))

    def _take_up(self, kill: Kill) -> None:
        self._current = kill
        if kill.is_at_random:
            self._random_at = time.monotonic() + self._random.uniform(0, RANDOM_WITHIN_SECONDS)
        else:
            self._order(kill, self._random.choice([0, 0, 1, 2]))

    def _died(self, kill: Kill) -> None:
        self._open.pop(kill, None)
        self.kills[str(kill)] += 1
        if kill is self._current:
            self._current = None
        if kill.leads_to is not None:
            self._current = Kill(kill.leads_to)
            self._order(self._current, passes=0)

    def _kill_at_random(self, kill: Kill, run: RunProgram) -> None:
        ready = [worker for worker in self._workers if worker.log_lines("worker ready")]
        if kill.program == "orchestrator":
            victims = [run.process.pid]
        elif kill.program == "worker":
            victims = [worker.process.pid for worker in self._workers]
        else:
            victims = [pid for worker in ready for pid in worker.executor_pids()]
        if not victims:
            return
        with suppress(ProcessLookupError):
            victim = self._random.choice(victims)
            (os.killpg if kill.what == "kill group" else os.kill)(victim, signal.SIGKILL)
            self._died(kill)

    def _settle(self) -> None:
        """The run is over: what was ordered and not come by is no death."""
        for kill in list(self._open):
            if self._saboteur.withdraw(kill.what, kill.point):
                self.kills[str(kill)] += 1

    # --- hangs and leftovers ------------------------------------------------------------------------------------------

    def _see_to_progress(self, run: RunProgram) -> None:
        size_bytes = sum(path.stat().st_size for path in run.folder.glob("out/*"))
        progress = (size_bytes, self.kills.total(), self.lives.total())
        if progress != self._progress:
            self._progress, self._progress_at = progress, time.monotonic()
        elif time.monotonic() - self._progress_at > HANG_SECONDS:
            said = "\n".join(worker.stderr[-2000:] for worker in self._workers)
            raise PromiseBroken(
                "hangs", f"nothing for {HANG_SECONDS:g} s; open: {[*map(str, self._open)]}\n{run.stderr}\n{said}"
            )

    def _nothing_left_behind(self) -> None:
        mark = self._saboteur.variables["SABOTAGE_ORDERS"].encode()
        try:
            eventually("every process of the round is gone", lambda: not _processes_with(mark))
        except AssertionError as error:
            raise PromiseBroken("other promises broken", str(error)) from None


def _processes_with(mark: bytes) -> list[int]:
    """Process ids of those that have `mark` in their environment, where the kernel tells that."""
    found: list[int] = []
    if not PROC.exists():
        return found
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found
