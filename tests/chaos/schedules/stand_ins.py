"""The real product on a world: its clocks, its queues and its site are the world's while a schedule is played."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import structlog

from orchestrator.channels import _outages, _results, sqs
from orchestrator.run import execution, loop, telling
from orchestrator.run.first_payload import Destination
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from stepbench.messages import PayloadRef
from stepbench.settings import Settings
from tests.chaos.schedules.life import Life, MortalQueue
from tests.chaos.schedules.witness import Witness
from tests.chaos.schedules.world import World
from tests.factories import QUEUES

SILENT = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@contextmanager
def on_clock(world: World) -> Iterator[None]:
    """The product sees the world's time, draws from its random numbers and logs nothing."""
    clock = world.clock
    patches: list[tuple[Any, str, Any]] = [
        (loop, "monotonic", clock.monotonic),
        (loop, "time", clock.time),
        (sqs, "monotonic_ns", clock.monotonic_ns),
        (_results, "monotonic", clock.monotonic),
        (_results, "monotonic_ns", clock.monotonic_ns),
        (_results, "time", clock.time),
        (_results, "random", world.random),
        (sqs.SqsChannel, "dead_letters", lambda self: []),  # a look has a thread of its own: no two would be alike
        (execution, "monotonic", clock.monotonic),
        (execution, "sleep", clock.pass_seconds),
        *((module, "log", SILENT) for module in (_outages, _results, execution, telling)),
    ]
    with ExitStack() as stack:
        for patched in patches:
            stack.enter_context(patch.object(*patched))
        yield


@contextmanager
def in_hands_of(life: Life, plan: Plan, witness: Witness) -> Iterator[Site]:
    """The site of one life: whatever it reaches there may be its end."""
    world = life.world
    queues = {plan.steps_queue_url: world.steps, plan.results_queue_url: world.results}

    def queue(_client: object, url: str, _visibility_seconds: float) -> MortalQueue:
        return MortalQueue(queues[url], life, witness, carries_steps=url == plan.steps_queue_url)

    clients: Any = _Clients(lambda: life.point("before its results queue is made"))
    site = Site(
        settings=Settings.model_construct(),
        clients=clients,
        environment="aws",
        own_stack=False,
        check=lambda: life.point("at the look whether the run goes on"),
    )
    with patch.object(sqs, "SqsQueue", queue):
        yield site


class _Clients:
    """All that a run asks of boto3 beside its queues."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before

    @property
    def sqs(self) -> _Clients:
        return self

    def create_queue(self, *, QueueName: str, Attributes: object) -> dict[str, str]:  # noqa: N803 # boto3's words
        self._before()
        return {"QueueUrl": f"{QUEUES}/{QueueName}"}


class FirstPayloadStandIn:
    """See `orchestrator.run.first_payload.FirstPayload`."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def upload(self, destination: Destination) -> tuple[PayloadRef, int]:
        self._life.point("before the first payload is written")
        return self._life.world.objects.write(f"{destination.uri_prefix}.json"), 1_000_000
