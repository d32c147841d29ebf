"""Where the cases of an experiment run: one embedded stack for all of them, or the bucket and queues of AWS.

On the embedded stack each worker configuration has a worker of its own, started when it is first wanted and kept, so
that its executors stay warm, and a steps queue of its own, so that no other takes its steps. A worker without steps
waits in a long poll, which costs the emulator a look every few hundred milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.experiment.names import of_a_worker
from orchestrator.local.children import Child
from orchestrator.local.stack import START_DEADLINE_SECONDS, Stack, embedded_stack
from orchestrator.run import preflight, site
from orchestrator.run.site import Site
from stepbench import aws_errors, machine
from stepbench.aws import AwsConfig, Clients
from stepbench.channels import fitted, traits
from stepbench.errors import EnvironmentRefused
from stepbench.settings import Settings

Key = tuple[Any, ...]
MAY_BE_A_CASES_OWN = ("steps_queue_url", "results_queue_url", "lambda_function")
"""Of what `preflight` looks at, by field: cases differ in them by --fleet, --channel and --lambda-function."""


class Places(Protocol):
    """Brought up once for all cases."""

    def site(self, settings: Settings) -> Site:
        """Where a case runs; its workers are ready. Raises EnvironmentRefused where they do not start."""
        ...

    def prove(self, settings: Settings) -> None:
        """Raises EnvironmentRefused if what befell a run would befall any other."""
        ...


def opened(cases: Sequence[Settings]) -> AbstractContextManager[Places]:
    """For these cases, which say which of the two is meant. Raises EnvironmentRefused."""
    return _embedded(cases[0]) if cases[0].embedded else _configured(cases)


@contextmanager
def _embedded(settings: Settings) -> Iterator[Places]:
    with embedded_stack(settings) as stack, ExitStack() as workers:
        yield _Embedded(stack, workers)


@contextmanager
def _configured(cases: Sequence[Settings]) -> Iterator[Places]:
    yield _Configured(cases)


@dataclass(frozen=True)
class _Manned:
    """A steps queue of the stack, and the worker on it."""

    stack: Stack
    clients: Clients
    worker: Child


class _Embedded:
    def __init__(self, stack: Stack, workers: ExitStack) -> None:
        self._stack = stack
        self._clients = stack.clients()
        self._workers = workers
        self._manned: dict[Key, _Manned] = {}
        self._queues = 0

    def site(self, settings: Settings) -> Site:
        if traits(settings.channel).own_executors:
            return self._site(fitted(self._stack.placed(settings)), self._clients, self._stack.check)
        executors = settings.executors or min(settings.concurrency, machine.cores())
        key = _worker_key(settings, executors)
        manned = self._manned.get(key)
        if manned is None or manned.worker.death() is not None:
            manned = self._manned[key] = self._man(settings, executors)

        def check() -> None:
            self._stack.check()
            manned.worker.check()

        return self._site(manned.stack.placed(settings), manned.clients, check)

    @staticmethod
    def _site(placed: Settings, clients: Clients, check: Callable[[], None]) -> Site:
        surroundings = site.stack_environment()
        return Site(placed, clients, "embedded", own_stack=True, surroundings=surroundings, check=check)

    def prove(self, settings: Settings) -> None:
        self._stack.check()

    def _man(self, settings: Settings, executors: int) -> _Manned:
        self._queues += 1
        stack = self._stack.beside(settings, f"stepbench-steps-{self._queues}")
        worker = self._workers.enter_context(stack.worker(executors))
        worker.ready_line(START_DEADLINE_SECONDS)
        return _Manned(stack, stack.clients(), worker)


class _Configured:
    def __init__(self, cases: Sequence[Settings]) -> None:
        self._clients: dict[str, Clients] = {}
        each = [fitted(case) for case in cases]
        self._own = [name for name in MAY_BE_A_CASES_OWN if len({getattr(case, name) for case in each}) > 1]
        """Of MAY_BE_A_CASES_OWN, what not all cases have the same."""

    def site(self, settings: Settings) -> Site:
        settings = fitted(settings)
        config = AwsConfig.of(settings)
        clients = self._clients.setdefault(config.model_dump_json(), Clients(config))
        return Site(settings, clients, site.label_of(settings), own_stack=False)

    def prove(self, settings: Settings) -> None:
        """What only some cases need is left out: a queue or a function that is missing fails their runs alone."""
        place = self.site(settings)
        shared = place.settings.model_copy(update=dict.fromkeys(self._own))
        try:
            with aws_errors.worded("orchestrator", settings):
                preflight.check(shared, place.clients)
        except EnvironmentRefused as error:
            raise EnvironmentRefused(f"{error}; nothing of the experiment can go on without that") from error


def _worker_key(settings: Settings, executors: int) -> Key:
    values = settings.model_dump(mode="json")
    read = [values[field] for field in Settings.model_fields if of_a_worker(field) and field != "executors"]
    return (executors, *(str(value) for value in read))
