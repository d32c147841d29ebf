from __future__ import annotations

import json
from pathlib import Path

import pytest

from stepbench import configuration
from tests.refusals import problems

QUEUES = "https://sqs.eu-west-1.amazonaws.com/123456789012"
AWS = {"ORCH_BUCKET": "payloads", "ORCH_STEPS_QUEUE_URL": f"{QUEUES}/steps"}
FLEETS = json.dumps(
    {
        "small": {"steps_queue_url": f"{QUEUES}/s-small", "cluster": "s", "service": "s-small", "max": 3, "cpu": 1},
        "c7g": {"steps_queue_url": f"{QUEUES}/s-c7g"},
    }
)


def test_the_steps_queue_of_the_fleet_that_is_named_is_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"ORCH_BUCKET=payloads\nORCH_STEPS_QUEUE_URL={QUEUES}/s-small\nORCH_FLEETS='{FLEETS}'\n")

    assert configuration.load({}).steps_queue_url == f"{QUEUES}/s-small"
    assert configuration.load({"ORCH_FLEET": "c7g"}).steps_queue_url == f"{QUEUES}/s-c7g"
    monkeypatch.setenv("ORCH_FLEET", "c7g")
    assert configuration.in_force(configuration.load({}))["ORCH_STEPS_QUEUE_URL"] == f"{QUEUES}/s-c7g"


def test_a_fleet_that_is_named_is_enough_to_run_against_aws() -> None:
    settings = configuration.load({"ORCH_BUCKET": "payloads", "ORCH_FLEETS": FLEETS, "ORCH_FLEET": "c7g"})

    assert not settings.embedded


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            {**AWS, "ORCH_FLEETS": FLEETS, "ORCH_FLEET": "c7G"},
            "--fleet c7G: 'c7G' is not one of small, c7g; did you mean c7g?",
        ),
        (
            {"ORCH_BUCKET": "payloads", "ORCH_FLEET": "small"},
            "--fleet small: --fleets (ORCH_FLEETS) is not set, which tells what fleets there are",
        ),
        (
            {**AWS, "ORCH_FLEETS": FLEETS, "ORCH_FLEET": "small"},
            f"steps: the steps queue of the fleet 'small' is {QUEUES}/s-small; leave this out, or --fleet (ORCH_FLEET)",
        ),
        (
            {"ORCH_FLEETS": FLEETS, "ORCH_FLEET": "small"},
            "--bucket (ORCH_BUCKET) is not set, but --fleet (ORCH_FLEET) is: set both to run against AWS, or neither",
        ),
    ],
)
def test_a_fleet_that_cannot_be_meant_is_told_in_one_sentence(flags: dict[str, str], told: str) -> None:
    [problem] = problems(flags)
    assert told in problem


def test_the_fleets_own_queue_as_a_flag_too_is_no_conflict() -> None:
    flags = {"ORCH_FLEETS": FLEETS, "ORCH_FLEET": "small", "ORCH_STEPS_QUEUE_URL": f"{QUEUES}/s-small"}
    assert problems({**AWS, **flags}) == []


@pytest.mark.parametrize(
    ("fleets", "told"),
    [
        ("small", "is no JSON ("),
        ("[" * 100_000, "is no JSON ("),
        ("[]", 'is JSON, but no object; {"NAME": {"steps_queue_url": "https://…"}, …} is needed'),
        ('{"a": 1}', "has the fleet 'a', which is no object"),
        ('{"a": {}}', "has the fleet 'a', whose steps_queue_url must be the URL of a queue"),
        ('{"a": {"steps_queue_url": 7}}', "has the fleet 'a', whose steps_queue_url must be the URL of a queue, not 7"),
        ('{"a": {"steps_queue_url": "u", "max": -1}}', "whose max must be a whole number from 0, not -1"),
        ('{"a": {"steps_queue_url": "u", "max": true}}', "whose max must be a whole number from 0, not True"),
        ('{"a": {"steps_queue_url": "u", "service": ""}}', "whose service must be the name of an ECS service, not ''"),
        ('{"a": {"steps_queue_url": "queue"}}', "--fleets (ORCH_FLEETS), fleet 'a': 'queue' is no queue URL"),
    ],
)
def test_fleets_that_cannot_be_read_are_told_with_what_is_wrong(fleets: str, told: str) -> None:
    [problem] = problems({"ORCH_FLEETS": fleets})
    assert told in problem
    assert problem.startswith("--fleets ")


def test_a_worker_does_not_care_what_fleets_there_are() -> None:
    assert problems({**AWS, "ORCH_FLEETS": "none", "ORCH_FLEET": "big"}, "worker") == []
