"""The Lambda function's configuration against what runs want of it.

https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.doctor.findings import Check, note, ok, wrong
from orchestrator.doctor.ground import Ground
from orchestrator.report import units
from stepbench.settings import Settings

NAME, TIMEOUT, DEAD_LETTERS = "Function", "Timeout", "Dead letters"
WHERE_TO_LOOK = (
    "see the function's log: it needs the ORCH_BUCKET, ORCH_PREFIX and ORCH_RESULTS_QUEUE_PREFIX of here (`terraform "
    "output -raw dotenv`), what `policy --role worker --channel lambda` prints, and `worker.lambda_handler.handle` as "
    "its handler; a cold start, or a function that has no room for one more, only wants a longer --wait"
)


def checks(ground: Ground) -> Iterator[Check]:
    """Raises the SDK's error."""
    found: Any = ground.clients.functions.get_function_configuration(FunctionName=ground.function)
    yield _there(found)
    yield _timeout(found, ground.settings)
    yield _dead_letters(found)


def _there(found: Any) -> Check:
    state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
    if "Failed" in (state, update):
        reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "AWS gives no reason"
        return wrong(NAME, f"it cannot be invoked: {reason}", "deploy it again")
    memory = units.size(found["MemorySize"] * 2**20)
    what = f"{found['FunctionName']}, {' and '.join(found.get('Architectures', ()))}, {memory}"
    if state in ("Pending", "Inactive") or update == "InProgress":
        return note(NAME, f"{what}; it is being made or changed, so its first steps take longer")
    return ok(NAME, what)


def _timeout(found: Any, settings: Settings) -> Check:
    timeout_seconds, step_seconds = found["Timeout"], settings.step_timeout_seconds
    if timeout_seconds < step_seconds:
        text = f"{timeout_seconds} s, less than STEP_TIMEOUT={step_seconds:g} s: a step is ended a little before it"
        return note(TIMEOUT, text, "a longer timeout of the function, of 900 s at most, where steps take longer")
    return ok(TIMEOUT, f"{timeout_seconds} s; a step may run for STEP_TIMEOUT={step_seconds:g} s")


def _dead_letters(found: Any) -> Check:
    target: str = found.get("DeadLetterConfig", {}).get("TargetArn", "")
    if ":sqs:" not in target:
        text = "they go to no queue: a step whose environment dies is given up only after the function's timeout"
        return note(DEAD_LETTERS, text, "give the function an SQS queue as its dead-letter queue")
    return ok(DEAD_LETTERS, f"they go to {target.rpartition(':')[2]}")
