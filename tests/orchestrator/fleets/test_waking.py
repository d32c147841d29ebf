from __future__ import annotations

import json
import uuid

import pytest

from orchestrator.fleets import waking
from stepbench import configuration
from tests.emulator import Account
from tests.factories import STEPS_QUEUE


class Sleeper:
    """A service on the emulated ECS, and the settings of a run for it."""

    def __init__(self, account: Account, desired: int, **facts: object) -> None:
        self._account = account
        self.cluster = f"stack-{uuid.uuid4().hex}"
        account.new_service(self.cluster, "stack-small", desired)
        fleet = {"steps_queue_url": STEPS_QUEUE, "cluster": self.cluster, "service": "stack-small", "max": 4}
        self.fleets = json.dumps({"small": fleet | facts, "other": {"steps_queue_url": STEPS_QUEUE + "-other"}})

    def woken_by(self, **settings: str) -> list[str]:
        said: list[str] = []
        waking.wake(configuration.load({"ORCH_BUCKET": "bucket", "ORCH_FLEETS": self.fleets, **settings}), said.append)
        return said

    @property
    def desired(self) -> int:
        return self._account.desired_count(self.cluster, "stack-small")


@pytest.mark.parametrize("named", [{"ORCH_FLEET": "small"}, {"ORCH_STEPS_QUEUE_URL": STEPS_QUEUE}], ids=str)
def test_a_runs_fleet_that_has_no_tasks_is_asked_for_one(account: Account, named: dict[str, str]) -> None:
    sleeper = Sleeper(account, desired=0)

    assert sleeper.woken_by(**named) == [
        "Fleet small had no tasks: asked ECS to start one, which takes a minute or two"
    ]
    assert sleeper.desired == 1


def test_a_fleet_that_has_tasks_is_left_as_it_is(account: Account) -> None:
    sleeper = Sleeper(account, desired=3)

    assert sleeper.woken_by(ORCH_FLEET="small") == []
    assert sleeper.desired == 3


def test_a_fleet_is_never_started_above_its_max(account: Account) -> None:
    sleeper = Sleeper(account, desired=0, max=0)

    [sentence] = sleeper.woken_by(ORCH_FLEET="small")
    assert "max is 0 in ORCH_FLEETS" in sentence
    assert sleeper.desired == 0


NO_SERVICE_OF_OURS = [
    {"ORCH_FLEET": "other"},
    {"ORCH_STEPS_QUEUE_URL": STEPS_QUEUE + "-third"},
    {"ORCH_STEPS_QUEUE_URL": STEPS_QUEUE, "ORCH_FLEETS": ""},
]


@pytest.mark.parametrize("named", NO_SERVICE_OF_OURS, ids=str)
def test_where_no_service_is_known_of_the_run_nothing_is_asked(account: Account, named: dict[str, str]) -> None:
    sleeper = Sleeper(account, desired=0)

    assert sleeper.woken_by(**named) == []
    assert sleeper.desired == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"service": "gone"}, "there is no active service gone in the cluster stack-"),
        ({"cluster": "gone"}, "Cluster not found"),
    ],
    ids=str,
)
def test_a_service_that_is_not_there_is_told_in_one_sentence(
    account: Account, wrong: dict[str, str], told: str
) -> None:
    sleeper = Sleeper(account, desired=0, **wrong)

    [sentence] = sleeper.woken_by(ORCH_FLEET="small")
    before, _, why = sentence.partition(": ")
    assert before.startswith("Fleet small could not be looked after, so its alarm starts it when it sees the backlog")
    assert told in why


def test_ecs_that_cannot_be_reached_is_told_in_one_sentence(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Sleeper(account, desired=0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    [sentence] = sleeper.woken_by(ORCH_FLEET="small")
    assert "\n" not in sentence
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:9/"' in sentence


def test_without_a_region_it_is_told_in_one_sentence(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Sleeper(account, desired=0)
    monkeypatch.delenv("AWS_REGION")

    [sentence] = sleeper.woken_by(ORCH_FLEET="small")
    assert "no AWS region is set; --aws-region (AWS_REGION) names it" in sentence
