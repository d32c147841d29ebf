from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.experiment import asked, cases, estimate, planning, prospect
from orchestrator.experiment.cases import ReadyCase
from stepbench import machine
from tests.factories import STEPS_QUEUE
from tests.orchestrator.experiment.plans import make_end, make_event, write_manifest


def ready(**given: str) -> tuple[ReadyCase, ...]:
    return cases.resolve(asked.request(given)).cases


def test_runs_time_and_bytes_are_told_from_a_small_payload_of_each_format() -> None:
    found = estimate.estimate(ready(SERIALIZER="json,arrow", PAYLOAD_MB="10", STEPS="4"), 3, Path("out"))

    assert found.runs == 6
    assert found.how == "from 1 MB of each format timed here"
    assert 3 * (5 + 2) * 10e6 < found.written_bytes < 3 * 10 * 10e6  # arrow's objects are smaller than json's
    assert found.seconds > 6
    assert found.usd is None


def test_earlier_runs_of_the_same_case_are_believed_more() -> None:
    given = {"SERIALIZER": "json,csv", "PAYLOAD_MB": "0.01"}
    request = asked.request(given)
    plan = planning.new(cases.resolve(request), request)
    ends = [
        make_end(case.name, number).model_copy(update={"seconds": 100.0}) for case in plan.cases for number in (0, 1)
    ]
    write_manifest(Path("out/experiment-1"), plan, *ends, make_event("finished"))

    found = estimate.estimate(ready(**given), 2, Path("out"))

    assert found.how == "from earlier runs of these cases"
    assert 400 <= found.seconds < 410
    assert estimate.estimate(ready(**given | {"STEPS": "7"}), 2, Path("out")).seconds < 100


def test_an_experiment_that_may_end_earlier_tells_the_least_and_the_most() -> None:
    request = asked.request({"SERIALIZER": "json,csv", "PAYLOAD_MB": "0.01"})
    resolved = cases.resolve(request)
    plan = planning.new(resolved, request)
    expected = estimate.estimate(resolved.cases, plan.repeats + 1, Path("out"))

    runs, how_long = list(prospect.sentences(plan, expected))[-2:]

    assert runs == "2 cases x (10 to 500 rounds + 1 to warm up) = 22 to 1002 runs; baseline is json."
    assert re.match(r"About .* s to .* \(from 1 MB of each format timed here\), and .* to .* written to S3;", how_long)
    assert how_long.endswith("; earlier when a difference of 5% would be seen.")
    assert expected.of(501) == expected
    assert expected.of(11).runs == 22
    assert (
        expected.of(11).seconds > estimate.STACK_SECONDS + 11 / 501 * (expected.seconds - estimate.STACK_SECONDS) - 1e-6
    )


def test_no_more_is_told_than_is_done_in_the_minutes_that_it_may_take() -> None:
    request = asked.request({"SERIALIZER": "json,csv", "PAYLOAD_MB": "0.01"}, max_minutes="0.5")
    resolved = cases.resolve(request)
    plan = planning.new(resolved, request)
    expected = estimate.estimate(resolved.cases, plan.repeats + 1, Path("out"))

    *_, told = prospect.sentences(plan, expected)

    assert " to 33 s (from" in told
    assert told.endswith("; earlier when a difference of 5% would be seen or after 0.5 minutes.")
    assert expected.within(0.5).written_bytes < expected.written_bytes / 5
    assert expected.within(1000) == expected


def test_rules_that_never_look_end_nothing_earlier() -> None:
    request = asked.request({"SERIALIZER": "json,csv", "PAYLOAD_MB": "0.01"}, repeats="10", to_see="5%")
    resolved = cases.resolve(request)
    plan = planning.new(resolved, request)

    runs, told = list(prospect.sentences(plan, estimate.estimate(resolved.cases, 11, Path("out"))))[-2:]

    assert "x (10 rounds + 1 to warm up)" in runs
    assert "earlier" not in told


FLEET = {"ORCH_BUCKET": "payloads", "ORCH_STEPS_QUEUE_URL": STEPS_QUEUE, "AWS_REGION": "eu-west-1"}
FUNCTION = {
    "ORCH_BUCKET": "payloads",
    "CHANNEL": "lambda",
    "ORCH_LAMBDA_FUNCTION": "arn:aws:lambda:eu-west-1:123456789012:function:workers",
}
DIRECT = {"ORCH_BUCKET": "payloads", "CHANNEL": "direct", "AWS_REGION": "eu-west-1"}


def test_this_machines_cores_bound_the_steps_at_once_only_where_it_does_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    many = {"SERIALIZER": "json,csv", "CONCURRENCY": "64", "STEPS": "200", "PAYLOAD_MB": "1"}

    seconds = {
        name: estimate.estimate(ready(**place, **many), 1, Path("out")).seconds
        for name, place in (("embedded", {}), ("direct", DIRECT), ("fleet", FLEET), ("function", FUNCTION))
    }

    assert max(seconds["fleet"], seconds["function"]) * 10 < min(seconds["embedded"], seconds["direct"])


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (FLEET, "for S3 and SQS, and what the fleet costs in that time."),
        (FUNCTION, "for S3 and SQS, and what the Lambda function costs in that time."),
        (DIRECT, "for S3."),
    ],
)
def test_what_costs_is_called_by_who_does_the_steps(place: dict[str, str], told: str) -> None:
    request = asked.request({**place, "SERIALIZER": "json,csv"})
    resolved = cases.resolve(request)
    plan = planning.new(resolved, request)

    *_, last = prospect.sentences(plan, estimate.estimate(resolved.cases, 2, Path("out")))

    assert last.startswith("About USD ")
    assert last.endswith(told)
