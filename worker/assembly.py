"""Puts a worker together from its settings."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import structlog

from stepbench import logs, machine, prefix
from stepbench.aws import AwsConfig, Clients
from stepbench.executors.handshake import ExecutorConfig
from stepbench.executors.process import ExecutorFactory
from stepbench.guard import Guard
from stepbench.messages import Completion
from stepbench.queues import Queue
from stepbench.queues.sqs import SqsQueue
from stepbench.refusals import refusal
from stepbench.s3_uris import bucket_and_key
from stepbench.settings import Settings
from worker.identity import identity_of
from worker.loop import Worker, WorkerOptions
from worker.pulse import Pulse, allowance_seconds

RESULTS_QUEUES_KEPT = 64

log = structlog.get_logger()


def assemble(settings: Settings) -> Worker:
    """A worker ready to run. Raises EnvironmentRefused where no client can be made."""
    assert settings.bucket is not None
    assert settings.steps_queue_url is not None  # the command line sees to that
    log_level = settings.log_level or "info"
    logs.configure(log_level, settings.log_format)
    name = machine.process_name()
    clients = Clients(AwsConfig.of(settings))
    guard = Guard(
        bucket=settings.bucket,
        literal_prefix=prefix.literal_part(settings.prefix),
        steps_queue_url=settings.steps_queue_url,
        results_queue_prefix=settings.results_queue_prefix,
        results_queue_url=settings.results_queue_url,
    )
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
    visibility = settings.visibility_timeout_seconds

    @lru_cache(maxsize=RESULTS_QUEUES_KEPT)
    def results_queue(url: str) -> Queue:
        return SqsQueue(clients.sqs, url, visibility)

    pulse = Pulse(allowance_seconds(settings))
    _each_try_told(clients.sqs, pulse)
    steps_queue = SqsQueue(clients.sqs, settings.steps_queue_url, visibility)
    discard_output = partial(_discard_output, clients, settings, pulse)
    return Worker(options, guard, steps_queue, results_queue, factory, discard_output, pulse, clients.sqs_calls)


def _each_try_told(client: Any, pulse: Pulse) -> None:
    """An outage may last; what tells a thread that waits it out from one that is stuck is that it tries."""
    for event in ("before-parameter-build", "before-send"):
        client.meta.events.register(event, pulse.try_of_a_call, unique_id=f"stepbench-{event}")


def _discard_output(clients: Clients, settings: Settings, pulse: Pulse, completion: Completion) -> None:
    if completion.output is None:
        return
    _each_try_told(clients.s3, pulse)
    uri = completion.output.uri
    bucket, key = bucket_and_key(uri)
    try:
        clients.s3.delete_object(Bucket=bucket, Key=key)
    except Exception as error:  # noqa: BLE001 # an orphan object harms nothing; clean-up finds it
        reason = refusal(error, "worker", settings) or str(error)
        log.warning(
            "could not delete an output that nobody waits for", **identity_of(completion), uri=uri, error=reason
        )
