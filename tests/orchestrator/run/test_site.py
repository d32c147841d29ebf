from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.local.environment import CREDENTIALS
from orchestrator.run import site
from stepbench.settings import Settings
from tests.factories import STEPS_QUEUE

HERE, THERE = "http://127.0.0.1:4100", "https://s3.example"


def configured(**settings: Any) -> Settings:
    return Settings(ORCH_BUCKET="b", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, AWS_REGION="eu-west-1", **settings)


@pytest.mark.parametrize(
    ("endpoints", "label"),
    [
        ({}, "aws"),
        ({"AWS_ENDPOINT_URL": HERE}, "embedded"),
        ({"AWS_ENDPOINT_URL": "http://localhost:9000"}, "embedded"),
        ({"AWS_ENDPOINT_URL": "http://[::1]:9000"}, "embedded"),
        ({"AWS_ENDPOINT_URL": "http://127.1.2.3"}, "embedded"),
        ({"AWS_ENDPOINT_URL_S3": HERE, "AWS_ENDPOINT_URL_SQS": HERE}, "embedded"),
        ({"AWS_ENDPOINT_URL": THERE}, "aws"),
        ({"AWS_ENDPOINT_URL": "http://192.168.1.2:9000"}, "aws"),
        ({"AWS_ENDPOINT_URL": "http://localhost.example"}, "aws"),
        ({"AWS_ENDPOINT_URL_S3": HERE}, "aws"),
        ({"AWS_ENDPOINT_URL_SQS": HERE}, "aws"),
        ({"AWS_ENDPOINT_URL": HERE, "AWS_ENDPOINT_URL_S3": THERE}, "aws"),
        ({"AWS_ENDPOINT_URL": THERE, "AWS_ENDPOINT_URL_S3": HERE, "AWS_ENDPOINT_URL_SQS": HERE}, "embedded"),
    ],
)
def test_figures_are_labelled_embedded_where_nothing_leaves_this_machine(endpoints: dict[str, str], label: str) -> None:
    settings = configured(**endpoints)
    with site.opened(settings) as opened:
        assert opened.environment == label
        assert not opened.own_stack
        assert opened.settings == settings
        opened.wait_until_working()
        opened.check()


def test_silence_of_workers_is_told_where_they_are_not_ours() -> None:
    with site.opened(configured(NO_WORKER_WARNING="45")) as opened:
        assert opened.no_worker_warning_seconds == 45
        assert replace(opened, own_stack=True).no_worker_warning_seconds == 0


def test_children_of_a_run_on_aws_see_the_users_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "theirs")
    seen = site.child_environment(configured())
    assert seen["AWS_PROFILE"] == "theirs"
    assert "AWS_ACCESS_KEY_ID" not in seen
    assert seen["PATH"] == os.environ["PATH"]


def test_children_of_an_embedded_run_see_nothing_of_the_users_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "ORCH_RESULTS_QUEUE_URL", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "theirs")
    seen = site.child_environment(Settings(ORCH_BUCKET=""))
    assert "theirs" not in seen.values()
    assert {name: seen[name] for name in CREDENTIALS} == CREDENTIALS


DIRECT = {"CHANNEL": "direct"}


def test_without_queues_the_figures_are_labelled_by_where_s3_is() -> None:
    for endpoint, label in ((HERE, "embedded"), (THERE, "aws")):
        with site.opened(configured(**DIRECT, AWS_ENDPOINT_URL_S3=endpoint)) as opened:
            assert opened.environment == label


def test_queues_and_fleets_that_the_channel_does_not_use_are_no_part_of_the_site() -> None:
    fleets = json.dumps({"small": {"steps_queue_url": STEPS_QUEUE}})
    with site.opened(configured(**DIRECT, ORCH_FLEETS=fleets, ORCH_FLEET="small")) as opened:
        assert (opened.settings.steps_queue_url, opened.settings.fleets, opened.settings.fleet) == (None, None, None)


def test_no_worker_is_waited_for_where_the_channel_has_none() -> None:
    with site.opened(configured(**DIRECT, NO_WORKER_WARNING="45")) as opened:
        assert opened.no_worker_warning_seconds == 0
