"""Puts a worker together from its settings: one that takes steps from a queue, or one that Lambda hands them to."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from stepbench import logs, machine
from stepbench.aws import AwsConfig, Clients
from stepbench.errors import UsageError
from stepbench.executors.handshake import ExecutorConfig
from stepbench.executors.process import ExecutorFactory
from stepbench.guard import Guard
from stepbench.messages import Completion
from stepbench.queues import Queue
from stepbench.queues.sqs import SqsQueue
from stepbench.settings import Settings, named
from worker.discarding import discard_output
from worker.function import Ends, FunctionWorker
from worker.loop import Worker, WorkerOptions
from worker.pulse import Pulse, allowance_seconds

RESULTS_QUEUES_KEPT = 64


def assemble(settings: Settings) -> Worker:
    """A worker ready to run. Raises EnvironmentRefused where no client can be made."""
    assert settings.bucket is not None
    assert settings.steps_queue_url is not None  # the command line sees to that
    log_level = settings.log_level or "info"
    logs.configure(log_level, settings.log_format)
    name = machine.process_name()
    clients = Clients(AwsConfig.of(settings))
    factory = ExecutorFactory(ExecutorConfig.of(settings, name, log_level))
    options = WorkerOptions(
        name=name,
        host=machine.host_name(),
        executors=settings.executors or machine.cores(),
        executor_max_steps=settings.executor_max_steps,
        visibility_timeout_seconds=settings.visibility_timeout_seconds,
        drain_timeout_seconds=settings.drain_timeout_seconds,
        health_file=settings.health_file,
        ecs_agent_uri=settings.ecs_agent_uri,
    )
    pulse = Pulse(allowance_seconds(settings))
    _each_try_told(clients.sqs, pulse)
    steps_queue = SqsQueue(clients.sqs, settings.steps_queue_url, settings.visibility_timeout_seconds)
    return Worker(
        options,
        Guard.of(settings),
        steps_queue,
        _results_queues(clients, settings),
        factory,
        partial(_discard_output, clients, settings, pulse),
        pulse,
        clients.sqs_calls,
    )


def function(settings: Settings) -> FunctionWorker:
    """A worker for one environment of a Lambda function, ready. Raises UsageError, EnvironmentRefused."""
    if settings.bucket is None:
        raise UsageError(f"{named('bucket')} is not set in the function's environment")
    log_level = settings.log_level or "info"
    logs.configure(log_level, settings.log_format)
    name = machine.process_name()
    clients = Clients(AwsConfig.of(settings))

    @lru_cache
    def guard(arn: str) -> Guard:
        return Guard.of(settings.model_copy(update={"steps_queue_url": None, "lambda_function": arn}))

    ends = Ends(
        guard=guard,
        results_queue=_results_queues(clients, settings),
        discard_output=partial(discard_output, clients, settings),
        sqs_calls=clients.sqs_calls,
    )
    factory = ExecutorFactory(ExecutorConfig.of(settings, name, log_level))
    return FunctionWorker(name, machine.host_name(), factory, settings.executor_max_steps, ends)


def _results_queues(clients: Clients, settings: Settings) -> Callable[[str], Queue]:
    """By URL."""

    @lru_cache(maxsize=RESULTS_QUEUES_KEPT)
    def results_queue(url: str) -> Queue:
        return SqsQueue(clients.sqs, url, settings.visibility_timeout_seconds)

    return results_queue


def _each_try_told(client: Any, pulse: Pulse) -> None:
    """An outage may last; what tells a thread that waits it out from one that is stuck is that it tries."""
    for event in ("before-parameter-build", "before-send"):
        client.meta.events.register(event, pulse.try_of_a_call, unique_id=f"stepbench-{event}")


def _discard_output(clients: Clients, settings: Settings, pulse: Pulse, completion: Completion) -> None:
    _each_try_told(clients.s3, pulse)
    discard_output(clients, settings, completion)
