"""One schedule: a run that meets what its seed holds for it, from its start to the end of its last chain."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from orchestrator.channels import Channel
from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile, MetricsFileDamaged
from orchestrator.report.statistics import summarise
from orchestrator.run import execution, history
from orchestrator.run.lines import SummaryLine
from orchestrator.run.plan import Plan
from stepbench.errors import EnvironmentRefused
from tests.chaos.figures import Figures, PromiseBroken
from tests.chaos.schedules import verdict
from tests.chaos.schedules.life import Killed, Life, MortalJournal, Outage
from tests.chaos.schedules.older_copy import older_copy
from tests.chaos.schedules.stand_ins import FirstPayloadStandIn, in_hands_of, on_clock
from tests.chaos.schedules.witness import Witness, broken
from tests.chaos.schedules.world import World
from tests.factories import RESULTS_QUEUE, STEPS_QUEUE
from tests.orchestrator.report.sample_factory import make_plan, make_run_line

MOST_LIVES = 500
"""Far more than a schedule has kills and outages for."""
ENDS_OF_A_LIFE = (Killed, KeyboardInterrupt, EnvironmentRefused, Outage)


def play(seed: int) -> Figures:
    """The figures of one schedule; a broken promise is told with how to repeat it."""
    figures = Figures()
    with TemporaryDirectory(prefix="stepbench-schedule-") as folder:
        schedule = Schedule(seed, Path(folder))
        try:
            schedule.play()
        except Exception as error:  # noqa: BLE001 # an error of the product ends its schedule, not the harness
            how = f"python -m tests.chaos schedules --rounds 1 --seed {seed}"
            figures.failed(error, f"seed {seed}: {type(error).__name__}: {error}\n    {how}")
    figures.tried = schedule.world.tried
    figures.tried["schedules"] += 1
    figures.killed_at = schedule.world.killed_at
    return figures


class Schedule:
    def __init__(self, seed: int, folder: Path) -> None:
        self.world = World(Random(seed))
        self._folder = folder
        self._deaths_left = self.world.profile.orchestrator_deaths
        self._starts = 0
        self._plan: Plan
        self._path: Path
        self._witness: Witness
        self._begin_anew()

    def play(self) -> None:
        """Raises PromiseBroken, and whatever the product raises that ends no life."""
        with on_clock(self.world):
            self._live_to_the_end(retry_failed=False)
            if self.world.happens(self.world.profile.retry_failed):
                self._live_to_the_end(retry_failed=True)
            self._judge()

    def _live_to_the_end(self, *, retry_failed: bool) -> None:
        """Life after life; `retry_failed` is asked for once."""
        for _ in range(MOST_LIVES):
            if self._live(retry_failed=retry_failed):
                return
            retry_failed = False
        raise PromiseBroken("hangs", f"the run has not ended in {MOST_LIVES} lives of its orchestrator")

    def _live(self, *, retry_failed: bool) -> bool:
        """One life; whether it came to the end of the run."""
        self.world.clock.boot()
        life = Life(self.world, mortal=self._deaths_left > 0)
        try:
            past = self._past()
            if past is None:
                self._start(life)
            elif not _has_finished(past, retry_failed=retry_failed):
                self._resume(life, past, retry_failed)
        except ENDS_OF_A_LIFE:
            self._deaths_left -= 1
            return False
        return True

    def _past(self) -> MetricsFile | None:
        """What there is to go on from; null where a user is told to start again."""
        if not self._path.exists():
            return None
        try:
            file = metrics_file.read(self._path)
        except MetricsFileDamaged:
            if self._path.read_bytes().count(b"\n"):
                raise  # only a file without a first line may be damaged
            file = None
        if file is not None and history.read(file.lines).first_payload is not None:
            return self._with_luck(file)
        if self._witness.sent_anything:
            raise broken("steps were sent, and the metrics file tells nothing of it")
        self._begin_anew()
        return None

    def _with_luck(self, file: MetricsFile) -> MetricsFile:
        """Without it, only a copy is left that lags behind."""
        if not self.world.happens(self.world.profile.older_copy):
            return file
        self._path = older_copy(self._path, self._path.with_name(f"copy-of-{self._path.name}"), self.world.random)
        self._witness.lagged = True
        self.world.tried["resumes from a copy that lags behind"] += 1
        return metrics_file.read(self._path)

    def _begin_anew(self) -> None:
        self._starts += 1
        profile = self.world.profile
        self._plan = make_plan(
            run_id=f"r{self._starts}",
            chains=profile.chains,
            steps=profile.steps,
            concurrency=profile.concurrency,
            warmup_steps=profile.warmup_steps,
            max_attempts=profile.max_attempts,
            stall_timeout_seconds=profile.stall_timeout_seconds,
            steps_queue_url=STEPS_QUEUE,
            results_queue_url=RESULTS_QUEUE,
            results_queue_is_own=profile.results_are_own,
        )
        self._path = self._folder / f"metrics-{self._plan.run_id}.jsonl"
        self._witness = Witness(self._plan, self.world.clock, self.world.objects, self.world.results)

    def _start(self, life: Life) -> None:
        """As `start` does."""
        payload: Any = FirstPayloadStandIn(life)
        with (
            MortalJournal(self._path, life, self._witness) as journal,
            in_hands_of(life, self._plan, self._witness) as site,
        ):
            journal.write([make_run_line(self._plan)])
            channel = execution.execute(self._plan, site, payload, journal, life.observe)
            self._close(channel, journal)

    def _resume(self, life: Life, file: MetricsFile, retry_failed: bool) -> None:
        """As `resume` does."""
        self.world.tried["resumes"] += 1
        self._witness.takes_up(file.lines, retry_failed=retry_failed)
        past = history.read(file.lines)
        with (
            MortalJournal(self._path, life, self._witness, again=True) as journal,
            in_hands_of(life, self._plan, self._witness) as site,
        ):
            journal.cut(file.whole_bytes)
            epoch = history.next_epoch(past.epoch, now_seconds=self.world.clock.time())
            channel = execution.go_on(self._plan, site, past, epoch, journal, life.observe, retry_failed=retry_failed)
            self._close(channel, journal)

    def _close(self, channel: Channel, journal: MortalJournal) -> None:
        """As `orchestrator.run.closing` does, as far as it matters here."""
        channel.close()
        summary = summarise([metrics_file.read(self._path)])
        journal.write([SummaryLine(**summary.model_dump(mode="json"))])

    def _judge(self) -> None:
        file = metrics_file.read(self._path)
        verdict.judge(file, lagged=self._witness.lagged)
        self.world.tried["samples"] += len(file.samples) + len(file.warmups)
        self.world.tried["failed attempts"] += len(file.failures)


def _has_finished(file: MetricsFile, *, retry_failed: bool) -> bool:
    """Whether `resume` has nothing to do."""
    tries_again = retry_failed and any(not end.ok for end in file.ends.values())
    return file.summary is not None and not tries_again
