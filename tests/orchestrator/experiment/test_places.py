from __future__ import annotations

import json

import pytest

from orchestrator.experiment import asked, cases, places
from orchestrator.run import preflight
from stepbench.aws import Clients
from stepbench.errors import EnvironmentRefused
from stepbench.settings import Settings
from tests.doubles import queue_gone
from tests.factories import QUEUES, STEPS_QUEUE

FLEETS = {name: {"cluster": "c", "service": name, "steps_queue_url": f"{QUEUES}/{name}"} for name in ("a", "b")}
AWS = {"ORCH_BUCKET": "payloads", "AWS_REGION": "eu-west-1"}


def settings_of(**given: str) -> list[Settings]:
    return [case.settings for case in cases.resolve(asked.request({**AWS, **given})).cases]


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The steps queues that a look asked for; there is none of them."""
    queues: list[str | None] = []

    def check(settings: Settings, _clients: Clients) -> None:
        queues.append(settings.steps_queue_url)
        if settings.steps_queue_url is not None:
            raise queue_gone()

    monkeypatch.setattr(preflight, "check", check)
    return queues


def test_a_queue_that_only_some_cases_need_ends_no_other_case(looked_at: list[str | None]) -> None:
    fleets = settings_of(ORCH_FLEETS=json.dumps(FLEETS), ORCH_FLEET="a,b")

    with places.opened(fleets) as opened:
        for each in fleets:
            opened.prove(each)

    assert looked_at == [None, None]


def test_a_queue_that_all_cases_need_ends_the_experiment(looked_at: list[str | None]) -> None:
    both = settings_of(ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, SERIALIZER="json,csv")

    with places.opened(both) as opened, pytest.raises(EnvironmentRefused, match="nothing of the experiment can go on"):
        opened.prove(both[0])

    assert looked_at == [STEPS_QUEUE]
