"""One run from its first payload to the end of its last chain: what is made for it, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep

import structlog

from orchestrator import channels
from orchestrator.channels import Channel
from orchestrator.run import results_queue
from orchestrator.run.chain import Chains
from orchestrator.run.first_payload import Destination, FirstPayload
from orchestrator.run.history import BEFORE_ANY_RESUME, History
from orchestrator.run.journal import Journal, now_text
from orchestrator.run.lines import Event, Line
from orchestrator.run.loop import RunLoop
from orchestrator.run.plan import Plan
from orchestrator.run.site import Site
from orchestrator.s3_copy.lease import TakenOver
from stepbench.aws import AwsConfig
from stepbench.channels import traits
from stepbench.messages import PayloadRef
from stepbench.s3_clients import Encryption, TransferOptions
from stepbench.s3_uris import uri

Observer = Callable[[Sequence[Line], int], None]
"""See `orchestrator.run.loop.RunLoop`."""

log = structlog.get_logger()


def execute(plan: Plan, site: Site, payload: FirstPayload, journal: Journal, observe: Observer) -> Channel:
    """Runs every chain to its end; returns the channel, for `closing` to close. Raises the SDK's errors."""
    usable = _results_queue(plan, site)
    with _channel(plan, site) as channel:
        chains = _chains(plan, _upload(plan, site, payload, journal), BEFORE_ANY_RESUME)
        usable()
        RunLoop(plan, BEFORE_ANY_RESUME, chains, channel, journal, observe, site.check).run(chains.start())
    return channel


def go_on(
    plan: Plan, site: Site, past: History, epoch: int, journal: Journal, observe: Observer, *, retry_failed: bool
) -> Channel:
    """Runs what earlier incarnations left to its end, as `execute` does. `past` has a first payload."""
    assert past.first_payload is not None
    usable = _results_queue(plan, site)  # where that is refused, a finished run is to stay one
    with _channel(plan, site) as channel:
        journal.write([Event(event="resumed", at=now_text(), epoch=epoch)])
        usable()
        chains = _chains(plan, past.first_payload, epoch)
        first = chains.resume(past.chains, retry_failed=retry_failed)
        if traits(plan.channel).own_executors:  # what was under way ended with the orchestrator that sent it
            first += chains.lost()
        RunLoop(plan, epoch, chains, channel, journal, observe, site.check).run(first)
    return channel


def _results_queue(plan: Plan, site: Site) -> Callable[[], None]:
    """Makes the run's own results queue; returns what waits until it may be used."""
    if not plan.results_queue_is_own or plan.results_queue_url is None:
        return lambda: None
    results_queue.create(
        site.clients.sqs, plan.results_queue_url, results_queue.visibility_seconds(plan.stall_timeout_seconds)
    )
    usable_at = monotonic() + (0.0 if site.environment == "embedded" else results_queue.USABLE_AFTER_SECONDS)
    return lambda: sleep(max(0.0, usable_at - monotonic()))


@contextmanager
def _channel(plan: Plan, site: Site) -> Iterator[Channel]:
    """Open when the block ends well, and whatever was started for it ended when not."""
    channel = channels.make(plan, site)
    try:
        yield channel
    except TakenOver:
        channel.abandon()
        raise  # what is not deleted comes to the other one, whose copy may lack that it came
    except Exception:
        _close_quietly(channel)
        site.check()  # where another orchestrator goes on with the run, that is the reason, and not what came of it
        raise
    except BaseException:
        channel.abandon()
        raise


def _close_quietly(channel: Channel) -> None:
    """What ends the run is to be told, not this: a completion that is not deleted is known when it comes again.

    Not after Ctrl-C: whoever wants to end need not wait for a queue that may not answer.
    """
    try:
        channel.close()
    except Exception as error:  # noqa: BLE001 # whatever it was, it must not hide what ended the run
        log.info("some completions are not deleted", error=str(error))


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


def _upload(plan: Plan, site: Site, payload: FirstPayload, journal: Journal) -> PayloadRef:
    destination = Destination(
        uri_prefix=uri(plan.bucket, f"{plan.payloads_prefix}first"),
        s3_client=plan.s3_client,
        encryption=Encryption(sse=plan.sse, kms_key_id=plan.kms_key_id),
        tagged=plan.payload_tag,
        aws=AwsConfig.of(site.settings),
        transfer=TransferOptions.of(site.settings),
    )
    first, duration_ns = payload.upload(destination)
    journal.write([Event(event="first_payload", at=now_text(), duration_ns=duration_ns, payload=first)])
    return first
