"""Runs of the channel `direct`, whose orchestrator does the steps with its own rights."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policies.place import IN_PARTS, SMALL, START, Place, failures, without_action
from tests.policies.taken_away import TO_DO_STEPS_ITSELF, Allowed

pytestmark = pytest.mark.infra

DIRECT = {"CHANNEL": "direct", "ORCH_STEPS_QUEUE_URL": ""}


def allow_direct(place: Place, without: Allowed | None = None) -> dict[str, Any]:
    """Gives the orchestrator what `policy` prints for a run without queues; the document."""
    document = place.policy("orchestrator", **DIRECT)
    if without:
        document = without_action(without, document)
    place.account.allow(place.orchestrator.name, document)
    return document


def test_a_run_without_queues_needs_no_right_to_any_and_no_more_than_its_policy(place: Place) -> None:
    document = allow_direct(place)
    ended = place.run_as(place.orchestrator, *START, *IN_PARTS, **DIRECT)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["samples"] == 2
    assert "sqs:" not in json.dumps(document)


@pytest.mark.parametrize("without", TO_DO_STEPS_ITSELF, ids=" ".join)
def test_without_it_the_steps_of_a_run_without_queues_fail_and_say_why(place: Place, without: Allowed) -> None:
    allow_direct(place, without)
    ended = place.run_as(place.orchestrator, *START, *SMALL, **DIRECT)

    assert ended.returncode == 1, ended.stderr
    (failure,) = failures()
    assert without[1].partition(":")[2] in failure["message"]
