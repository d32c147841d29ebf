from __future__ import annotations

import json
from time import time
from typing import Any

import pytest

from orchestrator.upkeep.reasons import Judge, told
from stepbench.guard import Guard
from stepbench.queue_urls import folder_of
from tests.factories import BUCKET, PREFIX, RESULTS_QUEUE, STEPS_QUEUE, make_message, make_output_spec

GUARD = Guard(
    bucket=BUCKET,
    literal_prefix=PREFIX,
    results_folder=folder_of(STEPS_QUEUE),
    steps_queue_url=STEPS_QUEUE,
    results_queue_prefix="stepbench-results-",
    results_queue_url=None,
)
HERE = Judge(GUARD, max_receives=5, is_gone=lambda url: False)
OUTSIDE = make_output_spec(key_prefix=f"s3://{BUCKET}/elsewhere/x")
ELSEWHERE = "https://evil.example/123456789012/stepbench-results-r1"
NOBODYS_JSON = ["", "no JSON", "[1]", "7", "null", '"v"', "[" * 100_000, '{"v": ' + "9" * 5_000 + "}"]


def kind(judge: Judge = HERE, now: float | None = None, **changes: Any) -> str:
    return judge.reason(make_message(**changes).model_dump_json(), time() if now is None else now).kind


@pytest.mark.parametrize("body", NOBODYS_JSON)
def test_what_is_no_step_message_cannot_be_understood(body: str) -> None:
    reason = HERE.reason(body, 0)

    assert reason.kind == "not understood"
    assert reason.text.startswith("cannot be understood: StepMessage refused: ")


@pytest.mark.parametrize("version", [2, 0, "1", None, 1.5])
def test_another_version_is_told_as_such(version: object) -> None:
    body = json.dumps(json.loads(make_message().model_dump_json()) | {"v": version})

    assert HERE.reason(body, 0).kind == "unknown version"
    assert repr(version) in HERE.reason(body, 0).text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "understood"),
        ({"results_queue_url": ELSEWHERE}, "refused"),
        ({"output": OUTSIDE}, "refused"),
        ({"expires_at": 99.0}, "expired"),
        ({"expires_at": 99.0, "results_queue_url": ELSEWHERE}, "refused"),
        ({"expires_at": 99.0, "output": OUTSIDE}, "expired"),
        ({"expires_at": -1e300}, "expired"),
    ],
)
def test_the_reason_is_the_first_that_a_worker_meets(changes: dict[str, Any], expected: str) -> None:
    assert kind(now=100.0, **changes) == expected


def test_a_message_whose_results_queue_is_gone_is_a_run_that_is_over() -> None:
    judge = Judge(GUARD, 5, is_gone=lambda url: url.endswith("/stepbench-results-r1"))

    assert kind(judge) == "run is over"
    assert kind(judge, results_queue_url=RESULTS_QUEUE + "2") == "understood"


def test_only_queues_that_the_guard_admits_are_asked_for() -> None:
    def is_gone(url: str) -> bool:
        raise AssertionError(url)

    assert kind(Judge(GUARD, 5, is_gone), results_queue_url=ELSEWHERE) == "refused"


@pytest.mark.parametrize(("receives", "words"), [(5, "5 times"), (1, "once")])
def test_how_often_workers_failed_is_what_the_redrive_policy_says(receives: int, words: str) -> None:
    reason = Judge(GUARD, receives, lambda url: False).reason(make_message().model_dump_json(), 0)

    assert reason.text == f"understood: its workers died, were killed or handed it back {words}"


@pytest.mark.parametrize("body", [*NOBODYS_JSON, '{"run": 3, "chain": "1", "step": true, "attempt": null}'])
def test_a_body_that_does_not_say_whose_it_is_says_nothing(body: str) -> None:
    said = told(body)

    assert (said.run, said.chain, said.step, said.attempt) == (None, None, None, None)


def test_a_body_that_no_worker_understands_may_still_say_whose_it_is() -> None:
    said = told('{"v": 9, "run": "r1", "chain": -1, "step": 2, "attempt": 3}')

    assert (said.run, said.chain, said.step, said.attempt) == ("r1", -1, 2, 3)
