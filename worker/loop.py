"""The worker: receive for free executors → hand over → publish completions → delete, until it is told to end.

Threads, because nearly all of the time is waiting for AWS or for an executor: one receives, one publishes, two keep
watch over held messages, one over idle executors, and one stands by each executor; one writes the health file and one
has the worker's task protected, where there are such. The main thread waits for signals, and then sees to the end (see
`worker.ending`).
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic, monotonic_ns

import structlog
from tenacity import RetryError

from stepbench.errors import EnvironmentRefused, ExecutorLost
from stepbench.failures import failed
from stepbench.guard import Guard
from stepbench.messages import Completion
from stepbench.patience import patient, pause_seconds
from stepbench.queues import Queue
from stepbench.sqs_calls import SqsCalls
from worker import heartbeat
from worker.backlog import Backlog
from worker.doing import Doing, is_probe
from worker.ending import Crew, Ending, Stop
from worker.executors import START_TIMEOUT_SECONDS, ExecutorFactory, ExecutorProcess, start_all
from worker.health import HealthFile
from worker.held import HeldStep, HeldSteps
from worker.identity import identity_of
from worker.intake import Intake
from worker.publisher import Finished, Publisher
from worker.pulse import Pulse
from worker.steps_queue import StepsQueue
from worker.task_protection import TaskProtection

IDLE_CHECK_SECONDS = 1.0

log = structlog.get_logger()


@dataclass(frozen=True)
class WorkerOptions:
    """How this worker behaves; see the settings of the same names."""

    name: str
    host: str
    executors: int
    executor_max_steps: int
    visibility_timeout_seconds: int
    drain_timeout_seconds: float
    health_file: Path | None = None
    ecs_agent_uri: str | None = None


class Worker:
    """Runs until `stop` is called. Raises what stopped it, if that was an error."""

    def __init__(
        self,
        options: WorkerOptions,
        guard: Guard,
        steps_queue: Queue,
        results_queue: Callable[[str], Queue],
        factory: ExecutorFactory,
        discard_output: Callable[[Completion], None],
        pulse: Pulse,
        sqs_calls: SqsCalls,
    ) -> None:
        self._options = options
        self._pulse = pulse
        self._health = HealthFile(options.health_file, pulse) if options.health_file else None
        self._protection = TaskProtection(options.ecs_agent_uri) if options.ecs_agent_uri else None
        self._stop = Stop()
        self._steps_queue = StepsQueue(steps_queue, self._stop.ask_because_of)
        self._factory = factory
        self._held = HeldSteps(self._stop_before_upload)
        self._backlog = Backlog(options.executors)
        self._doing = Doing(options.executors, self._held)
        self._publisher = Publisher(
            self._steps_queue,
            results_queue,
            self._backlog,
            self._held,
            options.name,
            options.host,
            discard_output,
            pulse,
            sqs_calls,
        )
        self._executors: dict[int, ExecutorProcess] = {}
        self._idle_deaths: Counter[int] = Counter()
        """By slot, how many executors one after the other ended without a step."""
        self._intake = Intake(
            self._steps_queue, guard, self._backlog, self._held, self._publisher, self._stop.asked, pulse
        )
        self._ending = Ending(
            self._stop,
            options.drain_timeout_seconds,
            self._backlog,
            self._publisher,
            self._thread,
            self._hand_back,
            self._kill_executors,
        )

    def stop(self) -> None:
        """Begin to end; called again: hurry."""
        self._stop.ask()

    def run(self, announce: Callable[[], None] = lambda: None) -> None:
        """`announce` is called when all executors are ready and the first step may come."""
        if self._health is not None:
            self._health.claim()
        executors = start_all(self._factory, self._options.executors)
        self._executors = dict(enumerate(executors))
        self._doing.begin()
        log.info("worker ready", worker=self._options.name, executors=len(executors))
        announce()
        crew = self._begin()
        self._stop.asked.wait()
        self._ending.carry_out(crew)
        for executor in self._executors.values():
            executor.close()
        log.info("worker ended", worker=self._options.name)
        if self._stop.error is not None:
            raise self._stop.error
        if self._health is not None:
            self._health.remove()

    def _begin(self) -> Crew:
        """Everything is at work when it returns."""
        over = self._ending.over
        visibility_seconds = self._options.visibility_timeout_seconds
        watches: dict[str, Callable[[], None]] = {
            "heartbeat": partial(heartbeat.beat, self._steps_queue, self._held, visibility_seconds, over, self._pulse),
            "stale": partial(
                heartbeat.hand_back_stale, self._steps_queue, self._held, self._backlog, over, self._pulse
            ),
            "idle": self._watch_the_idle,
        }
        if self._health is not None:
            watches["health"] = partial(self._health.keep, over)
        watchers = [self._thread(name, watch) for name, watch in watches.items()]
        if self._protection is not None:  # not waited for at the end: the task is gone then, protected or not
            self._thread("protection", partial(self._protection.keep, self._held.any, over))
        return Crew(
            publisher=self._thread("publisher", self._publisher.run),
            stands=[self._thread(f"executor-{slot}", self._stand_by(slot)) for slot in self._executors],
            intake=self._thread("intake", self._intake.run),
            watchers=watchers,
        )

    def _kill_executors(self) -> None:
        for executor in list(self._executors.values()):
            executor.kill()

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                target()
            except BaseException as error:  # noqa: BLE001 # kept, and raised by `run` when all else is in order
                self._stop.ask_because_of(error)
            self._pulse.rest()

        # A daemon: a call that outlives the grace time must not keep the process.
        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread

    def _stand_by(self, slot: int) -> Callable[[], None]:
        def begin(step: HeldStep) -> bool:
            executor = self._executors[slot]
            begun = executor.begin(step.message)
            if begun and self._held.is_disowned(step):  # while it waited to begin
                executor.disown(step.message)
            return begun

        def lives() -> bool:
            return self._executors[slot].lives()

        def serve() -> None:
            self._limit(slot)
            while (step := self._backlog.take(begin, lives)) or self._lost_idle(slot):
                seconds, fit = self._timed(slot, step) if step else (None, False)
                if not fit and not self._replace(slot):
                    return
                self._limit(slot)
                self._backlog.finished(seconds)
                self._pulse.rest()

        return serve

    def _watch_the_idle(self) -> None:
        while not self._stop.asked.wait(IDLE_CHECK_SECONDS):
            self._backlog.look_for_the_lost()

    def _lost_idle(self, slot: int) -> bool:
        """Whether it gets no step because its executor ended; if not, because the worker does."""
        if self._stop.asked.is_set():
            return False
        executor = self._executors[slot]
        log.warning("executor lost while it had no step", executor=executor.name, reason=executor.death())
        self._idle_deaths[slot] += 1
        return True

    def _timed(self, slot: int, step: HeldStep) -> tuple[float | None, bool]:
        """How long the step took, in seconds, and whether its executor may have another.

        Null for a probe: it says nothing about how long steps are.
        """
        self._pulse.turn(step.message.step_timeout_seconds)
        began = monotonic()
        with self._doing.at_work(slot, step.message):
            lives = self._finish_step(self._executors[slot], step)
        self._idle_deaths[slot] = 0
        seconds = None if is_probe(step.message) else monotonic() - began
        return seconds, lives and self._steps_left(slot) > 0

    def _steps_left(self, slot: int) -> int:
        """How many steps its executor may still begin."""
        most = self._options.executor_max_steps
        return most - self._executors[slot].steps_run if most else sys.maxsize

    def _limit(self, slot: int) -> None:
        self._backlog.limit(slot, self._steps_left(slot) - 1)

    def _finish_step(self, executor: ExecutorProcess, step: HeldStep) -> bool:
        """Whether the executor outlived it."""
        try:
            completion = executor.finish(step.message)
        except ExecutorLost as error:
            self._step_lost(executor, step, error)
            return False
        self._pulse.turn()
        if completion.error is not None and self._held.is_disowned(step):
            self._drop(step)
            return True
        self._publisher.publish(Finished(step, self._doing.told_in(completion), monotonic_ns()))
        return True

    def _step_lost(self, executor: ExecutorProcess, step: HeldStep, error: ExecutorLost) -> None:
        if self._ending.abandoning.is_set():
            self._hand_back([step])
            return
        if self._held.is_disowned(step):
            self._drop(step)
            return
        message = step.message
        log.warning(
            "executor lost",
            **identity_of(message),
            executor=executor.name,
            phase=error.phase,
            reason=str(error),
        )
        self._publisher.put(Finished(step, failed(message, error, error.phase), monotonic_ns()))

    def _stop_before_upload(self, step: HeldStep) -> None:
        for executor in list(self._executors.values()):
            executor.disown(step.message)

    def _drop(self, step: HeldStep) -> None:
        """Whoever has its message now answers for it: a failure of ours would cost the step an attempt."""
        log.warning("dropped a step whose message is no longer this worker's", **identity_of(step.message))
        self._held.remove([step.receipt])

    def _replace(self, slot: int) -> bool:
        """A fresh executor in place of one that died or did its share; false if the worker ends before it comes up."""
        self._backlog.limit(slot, 0)
        self._executors[slot].close()
        if self._stop.asked.wait(pause_seconds(self._idle_deaths[slot])):
            return False

        def start() -> None:
            self._pulse.turn(START_TIMEOUT_SECONDS)
            [self._executors[slot]] = start_all(self._factory, 1)

        try:
            patient(
                "could not start an executor", lambda error: isinstance(error, EnvironmentRefused), self._stop.asked
            )(start)
        except RetryError:
            log.warning("ends without a replacement for an executor")
            return False
        return True

    def _hand_back(self, steps: list[HeldStep]) -> None:
        heartbeat.hand_back(self._steps_queue, self._held, steps)
