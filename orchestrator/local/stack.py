"""The embedded stack: emulated SQS and S3, a process each, a bucket, two queues, and workers when asked for.

Two processes, so that large objects do not delay queue calls; all spoken to over HTTP with the code that speaks to AWS.
Nothing of it outlives the block that asked for it, nor this process, however that ends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from orchestrator.local import environment
from orchestrator.local.children import Child, child
from stepbench.aws import AwsConfig, Clients
from stepbench.settings import Settings, variable_of

REGION = "us-east-1"
BUCKET = "stepbench"
STEPS_QUEUE = "stepbench-steps"
DEAD_LETTER_QUEUE = "stepbench-steps-dead"
# Hand-backs and kills raise a message's receive count too.
MAX_RECEIVE_COUNT = 5
KEYS = (environment.CREDENTIALS["AWS_ACCESS_KEY_ID"], environment.CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
START_DEADLINE_SECONDS = 30.0
# An embedded run cannot be resumed, so there is nothing to drain for.
WORKER_GRACE_SECONDS = 2.0
_WHERE_AWS_IS = (
    "region",
    "profile",
    "endpoint_url",
    "s3_endpoint_url",
    "sqs_endpoint_url",
    "bucket",
    "fleets",
    "fleet",
    "ecs_agent_uri",
    "results_queue_url",
)


@dataclass(frozen=True, kw_only=True)
class Store:
    """A running S3, for what needs no queue."""

    bucket: str
    settings: Settings
    """The settings that were given, with what was made here in place of the user's."""
    children: list[Child] = field(repr=False)

    def clients(self) -> Clients:
        """Clients of it, whatever the user's own SDK is configured for."""
        return _clients(self.settings)

    def check(self) -> None:
        """Raises EnvironmentRefused if an emulator, or a worker of `start_worker`, has ended."""
        for each in self.children:
            each.check()


@dataclass(frozen=True, kw_only=True)
class Stack(Store):
    """A running stack and how to reach it."""

    steps_queue_url: str
    dead_letter_queue_url: str
    environment: dict[str, str]
    """What another process needs to use the stack, by variable."""
    _block: ExitStack = field(repr=False)
    _workers: list[Child] = field(repr=False, default_factory=list)

    def placed(self, settings: Settings) -> Settings:
        """`settings` with this stack's bucket, queues and endpoints in place of where they say AWS is."""
        here = {name: getattr(self.settings, name) for name in (*_WHERE_AWS_IS, "steps_queue_url")}
        return settings.model_copy(update=here)

    def beside(self, settings: Settings, name: str) -> Stack:
        """The same stack with a steps queue `name` of its own, for workers with other `settings` than the first's."""
        placed = self.placed(settings)
        steps = _steps_queue(self.clients(), name, self.dead_letter_queue_url, placed)
        placed = placed.model_copy(update={"steps_queue_url": steps})
        return replace(self, settings=placed, steps_queue_url=steps, environment=_environment(placed), _workers=[])

    def start_worker(self, executors: int) -> Child:
        """Starts a `worker` without waiting for it; it ends with the stack, or with us. `check` tells of its death."""
        worker = self._block.enter_context(self.worker(executors))
        self.children.append(worker)
        self._workers.append(worker)
        return worker

    def worker(self, executors: int) -> AbstractContextManager[Child]:
        """`python -m worker` on the stack while the block lasts."""
        settings = self.settings.model_copy(
            update={"executors": executors, "log_level": self.settings.log_level or "warning"}
        )
        command = [sys.executable, "-P", "-m", "worker", "--while-stdin-open", *environment.worker_flags(settings)]
        surroundings = {**environment.cleaned(os.environ), **environment.CREDENTIALS}
        return child("the worker", command, surroundings, captured=False, grace_seconds=WORKER_GRACE_SECONDS)

    def wait_until_working(self) -> None:
        """Returns when every worker is ready, so that no start is in any figure. Raises EnvironmentRefused."""
        for worker in self._workers:
            worker.ready_line(START_DEADLINE_SECONDS)


@contextmanager
def embedded_stack(settings: Settings) -> Iterator[Stack]:
    """Brings the stack up and, when the block ends in whatever way, takes it down.

    Of `settings`, those that say where AWS is are replaced; the others hold for the stack and its workers. Raises
    EnvironmentRefused if an emulator does not start; its message says why.
    """
    with ExitStack() as block:
        endpoints, children = _emulators(block, "sqs", "s3")
        store = _store(settings, endpoints, children)
        yield _furnished(store, block)


@contextmanager
def embedded_store(settings: Settings) -> Iterator[Store]:
    """S3 alone, in the same way."""
    with ExitStack() as block:
        yield _store(settings, *_emulators(block, "s3"))


def _emulators(block: ExitStack, *services: str) -> tuple[dict[str, str], list[Child]]:
    """Their endpoints; started side by side."""
    emulators = {service: block.enter_context(_emulator(service)) for service in services}
    endpoints = {
        service: f"http://{environment.HOST}:{emulator.ready_line(START_DEADLINE_SECONDS)}"
        for service, emulator in emulators.items()
    }
    return endpoints, [*emulators.values()]


def _emulator(service: str) -> AbstractContextManager[Child]:
    command = [sys.executable, "-P", "-m", "orchestrator.local.emulator", service]
    return child(f"the emulator of {service.upper()}", command, environment.cleaned(os.environ), captured=True)


def _clients(settings: Settings) -> Clients:
    return Clients(AwsConfig.of(settings), keys=KEYS)


def _store(settings: Settings, endpoints: dict[str, str], children: list[Child]) -> Store:
    """With its bucket made."""
    here: dict[str, str | None] = dict.fromkeys(_WHERE_AWS_IS)
    here |= {"region": REGION, "s3_endpoint_url": endpoints["s3"], "sqs_endpoint_url": endpoints.get("sqs")}
    placed = settings.model_copy(update={**here, "bucket": BUCKET})
    _clients(placed).s3.create_bucket(Bucket=BUCKET)
    return Store(bucket=BUCKET, settings=placed, children=children)


def _furnished(store: Store, block: ExitStack) -> Stack:
    """The store with queues beside it."""
    clients = store.clients()
    dead_letters = clients.sqs.create_queue(QueueName=DEAD_LETTER_QUEUE)["QueueUrl"]
    steps = _steps_queue(clients, STEPS_QUEUE, dead_letters, store.settings)
    placed = store.settings.model_copy(update={"steps_queue_url": steps})
    return Stack(
        bucket=store.bucket,
        settings=placed,
        children=store.children,
        steps_queue_url=steps,
        dead_letter_queue_url=dead_letters,
        environment=_environment(placed),
        _block=block,
    )


def _steps_queue(clients: Clients, name: str, dead_letter_queue_url: str, settings: Settings) -> str:
    """Its URL."""
    asked = clients.sqs.get_queue_attributes(QueueUrl=dead_letter_queue_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": asked["Attributes"]["QueueArn"], "maxReceiveCount": MAX_RECEIVE_COUNT}
    return clients.sqs.create_queue(
        QueueName=name,
        Attributes={
            "RedrivePolicy": json.dumps(redrive),
            "VisibilityTimeout": str(settings.visibility_timeout_seconds),
            "SqsManagedSseEnabled": "true",
        },
    )["QueueUrl"]


def _environment(placed: Settings) -> dict[str, str]:
    shown = ("region", "s3_endpoint_url", "sqs_endpoint_url", "bucket", "steps_queue_url")
    return {**{variable_of(name): str(getattr(placed, name)) for name in shown}, **environment.CREDENTIALS}
