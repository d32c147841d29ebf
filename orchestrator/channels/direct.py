"""Through pipes to executors of the orchestrator's own: no queue and no worker in between.

The same steps in the same executors, so that what a queue adds to a step is a difference of two runs. There is nothing
that could be delivered twice, late, or to anybody else, and nothing outlives the orchestrator. A step that waits for a
free executor is in the worker wait, on this process's own clock; transit is the way back to the loop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING

from orchestrator.channels import Arrival, Arrivals, Sent
from stepbench import machine
from stepbench.channels import Traits
from stepbench.errors import ExecutorLost
from stepbench.executors.backlog import Backlog
from stepbench.executors.handshake import ExecutorConfig
from stepbench.executors.process import ExecutorFactory, ExecutorProcess
from stepbench.executors.team import Team
from stepbench.failures import failed
from stepbench.messages import Completion, StepMessage
from stepbench.samples import WorkerFacts

if TYPE_CHECKING:
    from orchestrator.run.plan import Plan
    from orchestrator.run.site import Site

TRAITS = Traits(steps_queue=False, results_queue=False, own_executors=True)
PARTING_SECONDS = 2.0
"""For threads whose executors have been killed."""


def make(plan: Plan, site: Site) -> DirectChannel:
    """With its executors ready for the first step. Raises EnvironmentRefused where they do not come up."""
    settings = site.settings
    name = machine.process_name()
    config = ExecutorConfig.of(settings, name, settings.log_level or "warning")
    return DirectChannel(
        ExecutorFactory(config, site.surroundings),
        settings.executors or min(plan.concurrency, machine.cores()),
        name=name,
        most_steps=settings.executor_max_steps,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """One that was sent; see `stepbench.executors.backlog.Waiting`."""

    message: StepMessage
    received_at_ns: int


class DirectChannel:
    """See `orchestrator.channels.Channel`; and, towards its executors, `stepbench.executors.team.Keeper`."""

    def __init__(self, factory: ExecutorFactory, executors: int, *, name: str, most_steps: int = 0) -> None:
        self._name = name
        self._ending = threading.Event()
        self._backlog: Backlog[_Step] = Backlog(executors)
        self._team = Team(factory, self._backlog, self, most_steps=most_steps, ending=self._ending)
        self._came_back: SimpleQueue[Completion | BaseException] = SimpleQueue()
        self._open = 0
        """Steps that were sent, and whose completions are not accepted."""
        self._team.start(executors)
        served = {f"executor-{slot}": partial(self._team.serve, slot) for slot in self._team.slots}
        self._threads = [self._thread(*each) for each in ({"idle": self._team.watch_the_idle} | served).items()]

    # --- the loop's side

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        return [self._sent(message) for message in messages]

    def receive(self, wait_seconds: float) -> Arrivals:
        try:
            came = [self._came_back.get(timeout=wait_seconds)]
            while not self._came_back.empty():
                came.append(self._came_back.get())
        except Empty:
            return Arrivals()
        received_at_ns = monotonic_ns()
        return Arrivals([_arrival(each, received_at_ns) for each in came])

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        self._open -= len(arrivals)

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        """There is nobody who could have them: whoever goes on with the run has these steps done again."""

    def is_silent(self) -> bool:
        return self._open == 0

    def dead_letters(self) -> list[StepMessage]:
        return []

    def close(self) -> None:
        self.abandon()
        deadline = monotonic() + PARTING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        self._team.close()

    def abandon(self) -> None:
        self._ending.set()
        self._backlog.close()
        self._team.kill()

    # --- the executors' side

    def begin(self, executor: ExecutorProcess, step: _Step) -> bool:
        return executor.begin(step.message)

    def finish(self, slot: int, executor: ExecutorProcess, step: _Step) -> tuple[float | None, bool]:
        began = monotonic()
        try:
            completion, lives = executor.finish(step.message), True
        except ExecutorLost as error:
            completion, lives = failed(step.message, error, error.phase), False
        self._came_back.put(self._with_facts(completion, step.received_at_ns))
        return monotonic() - began, lives

    def starts_another(self) -> None:
        return

    def rests(self) -> None:
        return

    def _sent(self, message: StepMessage) -> Sent:
        self._open += 1
        began_at_ns = monotonic_ns()
        self._backlog.put([_Step(message, began_at_ns)])
        return Sent(began_at_ns, monotonic_ns() - began_at_ns)

    def _with_facts(self, completion: Completion, sent_at_ns: int) -> Completion:
        """No queue stamped anything, and nothing was sent to SQS: the former is null and the latter 0."""
        executor = completion.executor
        facts = WorkerFacts(
            worker=self._name,
            host=machine.host_name(),
            receive_count=None,
            queue_wait_ns=None,
            worker_wait_ns=0 if executor is None else executor.waited_ns(sent_at_ns, monotonic_ns()),
            sqs_requests=0,
        )
        return completion.model_copy(update={"worker": facts})

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                target()
            except BaseException as error:  # noqa: BLE001 # raised by `receive`: without this thread the run would hang
                self._came_back.put(error)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread


def _arrival(came: Completion | BaseException, received_at_ns: int) -> Arrival:
    if isinstance(came, BaseException):
        raise came
    return Arrival(
        completion=came,
        received_at_ns=received_at_ns,
        results_wait_ns=None,
        results_receive_count=None,
        receipt=f"{came.chain}.{came.step}.{came.attempt}",
    )
