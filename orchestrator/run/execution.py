"""One run from its first payload to the end of its last chain: what is made for it, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from orchestrator.channels.sqs import SqsChannel
from orchestrator.run import results_queue
from orchestrator.run.chain import Action, Chains
from orchestrator.run.first_payload import Destination, FirstPayload
from orchestrator.run.history import BEFORE_ANY_RESUME, History
from orchestrator.run.journal import Journal, now_text
from orchestrator.run.lines import Event, Line
from orchestrator.run.loop import RunLoop
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from stepbench.aws import AwsConfig
from stepbench.messages import PayloadRef
from stepbench.queues.sqs import SqsQueue
from stepbench.s3_clients import Encryption, TransferOptions
from stepbench.s3_uris import uri

Observer = Callable[[Sequence[Line], int], None]
"""See `orchestrator.run.loop.RunLoop`."""
RESULTS_VISIBILITY_SECONDS = 60
"""Long against the moment between receiving a completion and deleting it."""

log = structlog.get_logger()


def execute(plan: Plan, site: Site, payload: FirstPayload, journal: Journal, observe: Observer) -> None:
    """Runs every chain to its end. Raises the SDK's errors; KeyboardInterrupt, with the journal telling so."""
    with _telling_interrupts(journal):
        chains = _chains(plan, _upload(plan, site, payload, journal), BEFORE_ANY_RESUME)
        _drive(plan, site, BEFORE_ANY_RESUME, chains, chains.start(), journal, observe)


def go_on(plan: Plan, site: Site, past: History, journal: Journal, observe: Observer, *, retry_failed: bool) -> None:
    """Runs what an earlier incarnation left to its end; raises as `execute` does. `past` has a first payload."""
    assert past.first_payload is not None
    epoch = past.epoch + 1
    with _telling_interrupts(journal):
        journal.write([Event(event="resumed", at=now_text(), epoch=epoch)])
        chains = _chains(plan, past.first_payload, epoch)
        _drive(plan, site, epoch, chains, chains.resume(past.chains, retry_failed=retry_failed), journal, observe)


@contextmanager
def _telling_interrupts(journal: Journal) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        journal.write([Event(event="interrupted", at=now_text())])
        raise


def _drive(
    plan: Plan,
    site: Site,
    epoch: int,
    chains: Chains,
    first: Sequence[Action],
    journal: Journal,
    observe: Observer,
) -> None:
    if plan.results_queue_is_own:
        results_queue.create(site.clients.sqs, plan.results_queue_url, RESULTS_VISIBILITY_SECONDS)
    channel = _channel(plan, site)
    try:
        RunLoop(plan, epoch, chains, channel, journal, observe, site.check).run(first)
    finally:
        channel.close()


def _chains(plan: Plan, first: PayloadRef, epoch: int) -> Chains:
    return Chains(
        chains=plan.chains,
        steps=plan.steps,
        concurrency=plan.concurrency,
        warmup_steps=plan.warmup_steps,
        max_attempts=plan.max_attempts,
        payload=first,
        epoch=epoch,
    )


def _channel(plan: Plan, site: Site) -> SqsChannel:
    return SqsChannel(
        SqsQueue(site.clients.sqs, plan.steps_queue_url, site.settings.visibility_timeout_seconds),
        SqsQueue(site.clients.sqs, plan.results_queue_url, RESULTS_VISIBILITY_SECONDS),
        plan.run_id,
        fair=plan.fair_queues,
        results_are_own=plan.results_queue_is_own,
    )


def _upload(plan: Plan, site: Site, payload: FirstPayload, journal: Journal) -> PayloadRef:
    destination = Destination(
        uri_prefix=uri(plan.bucket, f"{plan.payloads_prefix}first"),
        s3_client=plan.s3_client,
        encryption=Encryption(sse=plan.sse, kms_key_id=plan.kms_key_id),
        aws=AwsConfig.of(site.settings),
        transfer=TransferOptions.of(site.settings),
    )
    first, duration_ns = payload.upload(destination)
    journal.write([Event(event="first_payload", at=now_text(), duration_ns=duration_ns, payload=first)])
    return first
