"""What a run asks of SQS for its own queue and for its step messages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runs.fleet import Fleet
from tests.runs.waiting import eventually

FOURTEEN_DAYS_SECONDS = 1_209_600


@pytest.mark.parametrize("fair", ["true", "false"])
def test_step_messages_carry_the_run_as_their_group_unless_fair_queues_are_turned_off(fleet: Fleet, fair: str) -> None:
    run = fleet.start("--steps=1", FAIR_QUEUES=fair)
    run_id = run.until("the plan is written", lambda so_far: so_far.lines and so_far.plan["run_id"])

    def look() -> list[Any]:
        answer = fleet.clients.sqs.receive_message(
            QueueUrl=fleet.steps_queue_url, WaitTimeSeconds=1, MessageSystemAttributeNames=["MessageGroupId"]
        )
        return list(answer.get("Messages", ()))

    (message,) = eventually("a step message", look)
    assert run_id in message["Body"]
    assert message.get("Attributes", {}).get("MessageGroupId") == (run_id if fair == "true" else None)


def test_a_runs_own_queue_keeps_completions_for_as_long_as_sqs_can(fleet: Fleet) -> None:
    run = fleet.start("--steps=1")
    run_id = run.until("a step is sent", lambda so_far: so_far.events("dispatching") and so_far.plan["run_id"])

    (url,) = fleet.results_queues(run_id)
    answer = fleet.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])
    assert answer["Attributes"] == {"MessageRetentionPeriod": str(FOURTEEN_DAYS_SECONDS)}
