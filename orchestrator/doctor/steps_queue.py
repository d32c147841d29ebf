"""The steps queue's attributes against what workers and runs want of it.

Workers ask for long polls and for VISIBILITY_TIMEOUT in each receive, so the queue's own attributes for these only
count for others. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from orchestrator.doctor.findings import Check, note, ok, refused, wrong
from orchestrator.doctor.ground import Ground
from orchestrator.report import units
from orchestrator.report.doubts import plural
from orchestrator.upkeep import dead_letter_queue
from stepbench.queues import MAX_WAIT_SECONDS
from stepbench.settings import Settings

FEWEST_RECEIVES = 5
"""Hand-backs and kills raise the receive count of messages that nothing is wrong with."""


def checks(ground: Ground) -> Iterator[Check]:
    """Raises the SDK's errors."""
    attributes = seen(ground)
    yield from judged(attributes, ground.settings)
    if redrive(attributes):
        yield _dead_letters(ground)


def seen(ground: Ground) -> dict[str, str]:
    """All attributes by name."""
    answer = ground.clients.sqs.get_queue_attributes(QueueUrl=ground.steps_queue_url, AttributeNames=["All"])
    return {str(name): value for name, value in answer["Attributes"].items()}


def judged(attributes: Mapping[str, str], settings: Settings) -> Iterator[Check]:
    """One check for each promise that hangs on an attribute."""
    yield _queue(attributes)
    yield _visibility(attributes, settings)
    yield _redrive(attributes)
    yield _long_polling(attributes)
    yield _retention(attributes, settings)
    yield _security(attributes)


def redrive(attributes: Mapping[str, str]) -> dict[str, str]:
    """The redrive policy; empty where there is none."""
    policy: dict[str, str] = json.loads(attributes.get("RedrivePolicy") or "{}")
    return policy


def waiting(attributes: Mapping[str, str]) -> str:
    """`3 messages waiting, 1 in work`."""
    visible = int(attributes.get("ApproximateNumberOfMessages", 0))
    in_flight = int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0))
    return f"{plural(visible, 'message')} waiting, {in_flight} in work"


def _queue(attributes: Mapping[str, str]) -> Check:
    name, delay = "Steps queue", int(attributes.get("DelaySeconds", 0))
    if attributes.get("FifoQueue") == "true":
        return wrong(
            name, "it is a FIFO queue, which hands out one step of a run at a time", "make it a standard queue"
        )
    if delay:
        found = f"it delays each message by {delay} s, which is in the queue wait of every step"
        return wrong(name, found, "set the queue's DelaySeconds to 0")
    return ok(name, f"answers; about {waiting(attributes)}")


def _visibility(attributes: Mapping[str, str], settings: Settings) -> Check:
    ours, step = settings.visibility_timeout_seconds, settings.step_timeout_seconds
    own = int(attributes.get("VisibilityTimeout", 30))
    if ours > step:
        found = f"a dead worker's step comes back only after {ours} s, and may run for {step:g} s at most"
        return note("Visibility", found, "--visibility-timeout (VISIBILITY_TIMEOUT) of the workers, below STEP_TIMEOUT")
    found = (
        f"workers ask for VISIBILITY_TIMEOUT={ours} s and extend it while a step runs, up to STEP_TIMEOUT={step:g} s"
    )
    if own != ours:
        return note("Visibility", f"{found}; the queue's own {own} s is for others who receive from it")
    return ok("Visibility", f"{found}; the queue's own is the same")


def _redrive(attributes: Mapping[str, str]) -> Check:
    policy = redrive(attributes)
    if not policy:
        return wrong(
            "Redrive",
            "there is no dead-letter queue: what nobody can do comes back to the workers until it expires",
            f'set RedrivePolicy to {{"deadLetterTargetArn": "ARN", "maxReceiveCount": {FEWEST_RECEIVES}}}',
        )
    receives = int(policy["maxReceiveCount"])
    if receives < FEWEST_RECEIVES:
        found = f"after {plural(receives, 'receive')}; deaths of workers and hand-backs count too"
        return wrong("Redrive", found, f"set maxReceiveCount of the RedrivePolicy to {FEWEST_RECEIVES} or more")
    return ok("Redrive", f"after {receives} receives, to {policy['deadLetterTargetArn'].rpartition(':')[2]}")


def _long_polling(attributes: Mapping[str, str]) -> Check:
    own = int(attributes.get("ReceiveMessageWaitTimeSeconds", 0))
    found = f"workers ask for {MAX_WAIT_SECONDS} s"
    if own == 0:
        mend = f"set ReceiveMessageWaitTimeSeconds to {MAX_WAIT_SECONDS}, if others receive from it"
        return note("Long polling", f"{found}; the queue's own is 0, which is for others alone", mend)
    return ok("Long polling", f"{found}; the queue's own is {own} s")


def _retention(attributes: Mapping[str, str], settings: Settings) -> Check:
    kept, expiry = int(attributes.get("MessageRetentionPeriod", 345_600)), settings.step_expiry_seconds
    if kept < expiry:
        found = (
            f"messages are kept for {units.clock(kept)}, steps may wait for STEP_EXPIRY={expiry:g} s: some would vanish"
        )
        return wrong(
            "Retention", found, "a longer MessageRetentionPeriod of the queue, or --step-expiry (STEP_EXPIRY) below it"
        )
    return ok(
        "Retention", f"messages are kept for {units.clock(kept)}, longer than steps wait (STEP_EXPIRY={expiry:g} s)"
    )


def _security(attributes: Mapping[str, str]) -> Check:
    key = attributes.get("KmsMasterKeyId")
    encrypted = key or ("SQS's own keys" if attributes.get("SqsManagedSseEnabled") == "true" else None)
    missing, mends = [], []
    if encrypted is None:
        missing.append("messages are not encrypted at rest")
        mends.append("SqsManagedSseEnabled")
    if not refuses_plain_http(attributes.get("Policy")):
        missing.append("its policy does not refuse plain HTTP")
        mends.append("a Deny in its policy where aws:SecureTransport is false")
    if missing:
        return note("Queue security", f"as far as it tells, {' and '.join(missing)}", " and ".join(mends))
    return ok("Queue security", f"encrypted with {encrypted}, TLS only")


def refuses_plain_http(policy: str | None) -> bool:
    statements = json.loads(policy or "{}").get("Statement", [])
    return any(
        statement.get("Effect") == "Deny"
        and str(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")).lower() == "false"
        for statement in ([statements] if isinstance(statements, dict) else statements)
    )


def _dead_letters(ground: Ground) -> Check:
    name, sqs = "Dead letters", ground.clients.sqs
    try:
        found = dead_letter_queue.find(sqs, ground.steps_queue_url)
        attributes = sqs.get_queue_attributes(QueueUrl=found.url, AttributeNames=["ApproximateNumberOfMessages"])
    except Exception as error:
        check = refused(name, error, ground.settings)
        if check is None:
            raise
        return check
    count = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        return note(name, f"about {count} are waiting", "python -m orchestrator dead-letters tells why")
    return ok(name, "none")
