from __future__ import annotations

from typing import Any

import pytest

from stepbench import configuration, registry
from stepbench.channels import PACKAGE, fitted, traits
from stepbench.errors import UsageError
from stepbench.settings import Settings, of_values
from tests.factories import STEPS_QUEUE

ON_AWS = {"ORCH_BUCKET": "payloads", "AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize("name", registry.choices(PACKAGE))
def test_every_channel_tells_what_it_asks_for(name: str) -> None:
    its = traits(name)
    assert its.queues == (its.steps_queue or its.results_queue)
    assert its.own_executors or its.queues, "somebody does the steps"


def test_a_name_that_is_no_channel_is_refused_with_the_nearest_that_is() -> None:
    with pytest.raises(UsageError, match=r"--channel dierct: .*; did you mean direct"):
        configuration.load({"CHANNEL": "dierct"})


@pytest.mark.parametrize(("channel", "problems"), [("sqs", 1), ("direct", 0)])
def test_a_steps_queue_is_asked_for_where_the_channel_has_one(channel: str, problems: int) -> None:
    found: list[str] = []
    try:
        configuration.load({**ON_AWS, "CHANNEL": channel})
    except UsageError as error:
        found = list(error.problems)
    assert len(found) == problems
    assert all(problem.startswith("--steps-queue-url (ORCH_STEPS_QUEUE_URL) is not set") for problem in found)


def test_what_a_channel_does_not_use_is_taken_out_of_the_settings_and_no_more() -> None:
    given: dict[str, Any] = {**ON_AWS, "ORCH_STEPS_QUEUE_URL": STEPS_QUEUE, "ORCH_RESULTS_QUEUE_URL": STEPS_QUEUE + "2"}
    queued, direct = (of_values({**given, "CHANNEL": channel}) for channel in ("sqs", "direct"))
    assert fitted(queued) == queued
    assert fitted(direct) == of_values({**ON_AWS, "CHANNEL": "direct"})


def test_steps_that_run_here_count_in_what_memory_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepbench.machine.memory_limit_bytes", lambda: 10**9)
    many = {**ON_AWS, "PAYLOAD_MB": "60", "CONCURRENCY": "8", "EXECUTORS": "8"}
    with pytest.raises(UsageError, match="with 8 steps at once"):
        configuration.load({**many, "CHANNEL": "direct"})
    assert isinstance(configuration.load({**many, "ORCH_STEPS_QUEUE_URL": STEPS_QUEUE}), Settings)
