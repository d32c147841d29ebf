"""Asks those who do the steps who they are: workers through their steps queue, a Lambda function by invocations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.channels import Channel
from orchestrator.channels.sqs import SqsChannel
from orchestrator.doctor import function, steps_queue, workers
from orchestrator.doctor.findings import AnsweringWorker, Check
from orchestrator.doctor.ground import Ground
from orchestrator.doctor.probing import ON_THEIR_WAY, Probing
from orchestrator.doctor.results_queue import VISIBILITY_SECONDS, DoctorsQueue
from stepbench import machine, registry
from stepbench.channels import PACKAGE
from stepbench.queues.sqs import SqsQueue
from stepbench.s3_uris import uri


@dataclass(frozen=True)
class Asked:
    workers: list[AnsweringWorker]
    checks: list[Check]


@dataclass(frozen=True)
class _Way:
    """How probes get there."""

    channel: Channel
    on_their_way: int
    """Probes at once."""
    wanted: int | None
    """After so many answers nobody is waited for."""
    beside: Callable[[], str]
    """What else is known, in words."""
    mend: str


def ask(ground: Ground, queue: DoctorsQueue, wait_seconds: float, wanted: int | None) -> Asked:
    """Who answered within `wait_seconds`, or until `wanted` have. Raises the SDK's errors."""
    way = _function(ground, queue, wanted) if ground.has_function else _steps_queue(ground, queue, wanted)
    probing = Probing(
        way.channel, ground.run_id, uri(ground.bucket, ground.key), queue.url, on_their_way=way.on_their_way
    )
    found = probing.run(wait_seconds, way.wanted)
    judged = workers.judged(
        found,
        version=machine.versions().get("stepbench", "unknown"),
        wait_seconds=wait_seconds,
        wanted=way.wanted,
        beside=way.beside(),
        unanswered=probing.unanswered,
        mend=way.mend,
    )
    return Asked(found, list(judged))


def _steps_queue(ground: Ground, queue: DoctorsQueue, wanted: int | None) -> _Way:
    sqs = ground.clients.sqs
    channel = SqsChannel(
        SqsQueue(sqs, ground.steps_queue_url, VISIBILITY_SECONDS),
        SqsQueue(sqs, queue.url, VISIBILITY_SECONDS),
        ground.run_id,
        fair=ground.settings.fair_queues,
        results_are_own=queue.is_own,
    )

    def beside() -> str:
        return f"; the steps queue has {steps_queue.waiting(steps_queue.seen(ground))}"

    return _Way(channel, ON_THEIR_WAY, wanted, beside, workers.WHERE_TO_LOOK)


def _function(ground: Ground, queue: DoctorsQueue, wanted: int | None) -> _Way:
    """Each probe at once would start an environment of its own: no more than are asked for."""
    # No import statement can name a file that is called as a word of Python's.
    channel: Channel = registry.load(PACKAGE, "lambda").LambdaChannel(
        ground.clients.functions,
        ground.function,
        SqsQueue(ground.clients.sqs, queue.url, VISIBILITY_SECONDS),
        ground.run_id,
        results_are_own=queue.is_own,
    )
    return _Way(channel, wanted or 1, wanted or 1, str, function.WHERE_TO_LOOK)
