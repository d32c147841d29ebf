"""Runs whose steps a Lambda function does: its handler for real, behind a service that stands for AWS Lambda's."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.run import loop
from stepbench import registry
from stepbench.channels import PACKAGE
from stepbench.samples import PHASES
from tests.factories import make_message, make_output_spec
from tests.lambda_service.service import ARN, LambdaService, lambda_service
from tests.runs.commands import orchestrator
from tests.runs.fleet import PREFIX, Fleet
from tests.runs.programs import Line, Outcome
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums
from tests.runs.waiting import eventually

HANDLER = (sys.executable, "-P", "-m", "awslambdaric", "worker.lambda_handler.handle")
LAMBDA = "--channel=lambda"
OVER = ("--older-than=0s", "--step-expiry=0.001")
"""Whatever has no other sign of life is over."""

MakeFunction = Callable[..., LambdaService]


@pytest.fixture
def make_function(fleet: Fleet, tmp_path: Path) -> Iterator[MakeFunction]:
    with ExitStack() as functions:

        def make(saboteur: Saboteur | None = None, **named: Any) -> LambdaService:
            variables = fleet.environment(ORCH_STEPS_QUEUE_URL="", **(saboteur.variables if saboteur else {}))
            named |= {"sqs": fleet.clients.sqs, "dead_letters_url": fleet.dead_letters_url}
            return functions.enter_context(lambda_service(HANDLER, variables, tmp_path, **named))

        yield make


@pytest.fixture
def function(make_function: MakeFunction) -> LambdaService:
    return make_function()


def of(function: LambdaService, **variables: str) -> dict[str, str]:
    """What an orchestrator is told; that of a stack has a steps queue too."""
    return {"ORCH_LAMBDA_FUNCTION": ARN, "AWS_ENDPOINT_URL_LAMBDA": function.endpoint, **variables}


def logged(function: LambdaService, event: str) -> list[Line]:
    lines = [json.loads(line) for line in function.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def frozen(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_run_has_samples_without_the_stamps_of_a_steps_queue_and_its_sums_come_out(
    fleet: Fleet, function: LambdaService
) -> None:
    outcome = fleet.run(LAMBDA, "--steps=3", "--concurrency=2", "--warmup=1", "--json", **of(function))

    assert outcome.exit_code == 0, outcome.stderr + function.log.read_text()
    assert _steps(outcome) == [(chain, step) for chain in (1, 2) for step in (1, 2, 3)]
    assert {sample[name] for sample in outcome.samples for name in ("queue_wait_ns", "receive_count")} == {None}
    assert {sample["results_receive_count"] for sample in outcome.samples} == {1}
    assert all(sample["sqs_requests"] >= 1 for sample in outcome.samples), "each sent a completion"
    check_sums(outcome.lines)
    assert outcome.summary["choices"]["channel"] == ["lambda"]
    assert "queue_wait" not in outcome.summary["parts"]
    assert "results_wait" in outcome.summary["parts"]
    assert fleet.depth() == (0, 0), "the steps queue that a stack's .env names is left alone"
    assert fleet.results_queues(outcome.plan["run_id"]) == []
    assert len(function.invocations) == 8


def test_environments_are_frozen_between_steps_and_go_on_with_their_connections(
    fleet: Fleet, make_function: MakeFunction
) -> None:
    function = make_function(environments=1)
    first = fleet.run(LAMBDA, "--steps=2", **of(function))
    eventually("the environment is frozen", lambda: all(frozen(pid) for pid in function.processes()))
    before = function.processes()

    second = fleet.run(LAMBDA, "--steps=2", **of(function))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert len(before) == 2, "the runtime and its executor"
    assert [sample["cold"] for sample in (*first.samples, *second.samples)] == [True, False, False, False]
    opened = [sample["s3"]["get"]["connections_opened"] for sample in second.samples]
    assert (function.processes(), opened) == (before, [0, 0])


def test_an_executor_killed_in_any_phase_is_reported_with_it_and_replaced(
    fleet: Fleet, make_function: MakeFunction, saboteur: Saboteur
) -> None:
    function = make_function(saboteur, environments=1)
    for phase in PHASES:
        saboteur.order("kill", phase)

    outcome = fleet.run(LAMBDA, "--steps=2", f"--max-attempts={len(PHASES) + 1}", **of(function))

    assert outcome.exit_code == 0, outcome.stderr
    assert sorted(failure["phase"] for failure in outcome.failures) == sorted(PHASES)
    assert {failure["error_class"] for failure in outcome.failures} == {"ExecutorDied"}
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 9), (2, 1)]
    check_sums(outcome.lines)


def test_an_executor_that_died_in_a_frozen_environment_costs_no_attempt(
    fleet: Fleet, make_function: MakeFunction
) -> None:
    function = make_function(environments=1)
    fleet.run(LAMBDA, "--steps=1", **of(function))
    (executor,) = [
        pid for pid in function.processes() if b"worker.executor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(executor, signal.SIGKILL)

    outcome = fleet.run(LAMBDA, "--steps=1", **of(function))

    assert outcome.exit_code == 0, outcome.stderr
    assert (outcome.failures, outcome.samples[0]["attempt"]) == ([], 1)


def test_a_step_beyond_its_timeout_is_ended_and_tried_again(
    fleet: Fleet, make_function: MakeFunction, saboteur: Saboteur
) -> None:
    function = make_function(saboteur)
    saboteur.order("hold", "transform")

    outcome = fleet.run(LAMBDA, "--steps=1", "--step-timeout=1", **of(function))

    assert outcome.exit_code == 0, outcome.stderr
    (failure,) = outcome.failures
    assert (failure["error_class"], failure["phase"]) == ("StepTimeout", "transform")
    assert failure["message"] == "the step ran longer than STEP_TIMEOUT=1 s"


def test_a_step_that_the_functions_own_timeout_ends_says_so(
    fleet: Fleet, make_function: MakeFunction, saboteur: Saboteur
) -> None:
    function = make_function(saboteur, timeout_seconds=7.0)
    saboteur.order("hold", "transform")

    outcome = fleet.run(LAMBDA, "--steps=1", **of(function))

    assert outcome.exit_code == 0, outcome.stderr
    (failure,) = outcome.failures
    assert (failure["error_class"], failure["phase"]) == ("StepTimeout", "transform")
    assert "that the function's timeout leaves it; give the function a longer timeout" in failure["message"]


def test_a_step_whose_environment_dies_is_found_among_the_dead_letters_and_tried_again(
    fleet: Fleet, make_function: MakeFunction, saboteur: Saboteur, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_AFTER_SECONDS", 1.0)
    function = make_function(saboteur, environments=1)
    saboteur.order("wait", "transform")

    def kill() -> None:
        saboteur.until_obeyed()
        for pid in function.processes():
            os.kill(pid, signal.SIGKILL)

    with ThreadPoolExecutor(1) as aside:
        killing = aside.submit(kill)
        outcome = fleet.run(LAMBDA, "--steps=2", **of(function))
        killing.result()

    assert outcome.exit_code == 0, outcome.stderr  # STALL_TIMEOUT is longer than any test lasts
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 2), (2, 1)]
    assert len(outcome.events("lost")) == 1
    assert function.wrong == ["Runtime exited"]
    check_sums(outcome.lines)


def test_a_step_that_is_delivered_twice_is_counted_once(fleet: Fleet, function: LambdaService) -> None:
    function.deliveries = 2

    outcome = fleet.run(LAMBDA, "--steps=3", "--chains=2", **of(function))

    assert outcome.exit_code == 0, outcome.stderr
    assert _steps(outcome) == [(chain, step) for chain in (1, 2) for step in (1, 2, 3)]
    assert outcome.events("duplicate")


def test_a_function_that_is_asked_for_more_than_it_may_is_waited_for(fleet: Fleet, function: LambdaService) -> None:
    function.throttled = 5  # more than the SDK's own tries

    outcome = fleet.run(LAMBDA, "--steps=2", AWS_MAX_ATTEMPTS="2", **of(function))

    assert outcome.exit_code == 0, outcome.stderr
    assert function.throttled == 0


@pytest.fixture
def begins_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent is known to be at work nowhere, a second after the function's timeout."""
    monkeypatch.setattr(registry.load(PACKAGE, "lambda"), "BEGINS_WITHIN_SECONDS", 1.0)
    monkeypatch.setattr(loop, "MAX_WAIT_SECONDS", 1)


def test_a_run_whose_orchestrator_is_killed_is_gone_on_with(
    fleet: Fleet, make_function: MakeFunction, saboteur: Saboteur, begins_soon: None
) -> None:
    function = make_function(timeout_seconds=8.0)
    saboteur.order_at("kill", "orchestrator after writing sample", passes=3)
    killed = fleet.start(
        LAMBDA, "--steps=4", "--concurrency=2", "--stall-timeout=1", **of(function, **saboteur.variables)
    )
    assert killed.exit_code() == -signal.SIGKILL
    (file,) = (killed.folder / "out").glob("metrics-*.jsonl")

    resumed = fleet.resume(killed.folder, file.stem.removeprefix("metrics-"), **of(function))

    assert resumed.exit_code == 0, resumed.stderr
    assert _steps(resumed) == [(chain, step) for chain in (1, 2) for step in (1, 2, 3, 4)]


def test_a_lost_step_is_given_up_only_when_the_function_cannot_be_at_it_any_more(
    fleet: Fleet, make_function: MakeFunction, begins_soon: None
) -> None:
    function = make_function(timeout_seconds=4.0, environments=1, names_dead_letters=False)
    function.deliveries = 0  # accepted, and forgotten

    outcome = fleet.run(LAMBDA, "--steps=1", "--stall-timeout=1", "--max-attempts=1", **of(function))

    assert outcome.exit_code == 1, outcome.stderr
    (failure,) = outcome.failures
    assert failure["error_class"] == "StepLost"
    (dispatched,), (lost,) = outcome.events("dispatching"), outcome.events("lost")
    waited = datetime.fromisoformat(lost["at"]) - datetime.fromisoformat(dispatched["at"])
    assert waited.total_seconds() > 5.0, "the function's timeout and the time to begin, and not STALL_TIMEOUT alone"


def test_what_a_function_cannot_understand_or_must_not_do_is_a_dead_letter_and_no_step(
    fleet: Fleet, function: LambdaService
) -> None:
    elsewhere = make_message(results_queue_url="https://evil.example/123456789012/stepbench-results-r1")
    for body in (b"{}", elsewhere.model_dump_json().encode()):
        _invoke(fleet, function, body)

    eventually("both are dead letters", lambda: len(function.wrong) == 2)
    assert "StepMessage refused" in " ".join(function.wrong)
    assert "is not one that this worker answers to" in " ".join(function.wrong)
    outcome = fleet.run(LAMBDA, "--steps=1", **of(function))
    assert outcome.exit_code == 0, outcome.stderr


def test_a_step_outside_of_the_functions_prefix_is_answered_with_the_reason(
    fleet: Fleet, make_function: MakeFunction
) -> None:
    function = make_function()
    url = fleet.new_queue("stepbench-results")
    message = make_message(
        input=fleet.put_payload(),
        output=make_output_spec(key_prefix=f"s3://{fleet.bucket}/elsewhere/"),
        results_queue_url=url,
    )

    _invoke(fleet, function, message.model_dump_json().encode())

    completion = json.loads(fleet.take(url).body)
    assert "is not below" in completion["error"]["message"]
    assert function.wrong == []


def test_an_expired_step_is_not_run(fleet: Fleet, function: LambdaService) -> None:
    url = fleet.new_queue("stepbench-results")

    _invoke(fleet, function, make_message(expires_at=1.0, results_queue_url=url).model_dump_json().encode())

    eventually("it is told", lambda: function.log.exists() and logged(function, "step expired"))
    assert (function.wrong, fleet.depth(url)) == ([], (0, 0))


def test_without_a_function_or_a_bucket_a_run_is_refused_with_what_is_missing(fleet: Fleet) -> None:
    nothing = orchestrator(fleet, "start", LAMBDA, ORCH_BUCKET="", ORCH_STEPS_QUEUE_URL="")
    no_arn = orchestrator(fleet, "start", LAMBDA, ORCH_LAMBDA_FUNCTION="steps")

    assert (nothing.returncode, no_arn.returncode) == (2, 2)
    assert "--lambda-function (ORCH_LAMBDA_FUNCTION): the embedded stack has no Lambda" in nothing.stderr
    assert "'steps' is no ARN of a Lambda function" in no_arn.stderr


def test_a_function_that_does_not_exist_is_told_before_anything_is_sent(fleet: Fleet, function: LambdaService) -> None:
    outcome = fleet.run(LAMBDA, **of(function, ORCH_LAMBDA_FUNCTION=f"{ARN}-2"))

    assert outcome.exit_code == 3
    assert "the function does not exist; --lambda-function (ORCH_LAMBDA_FUNCTION) names it" in outcome.stderr
    assert outcome.lines == ()


def _invoke(fleet: Fleet, function: LambdaService, body: bytes) -> None:
    client = fleet.clients._session.client("lambda", region_name="us-east-1", endpoint_url=function.endpoint)
    client.invoke(FunctionName=ARN, InvocationType="Event", Payload=body)


def _steps(outcome: Outcome) -> list[tuple[int, int]]:
    return sorted((sample["chain"], sample["step"]) for sample in outcome.samples)


def test_the_doctor_asks_the_function_and_looks_at_no_steps_queue(fleet: Fleet, function: LambdaService) -> None:
    answer = orchestrator(fleet, "doctor", LAMBDA, "--json", "--wait=60", **of(function))

    diagnosis = json.loads(answer.stdout)
    assert (answer.returncode, diagnosis["ok"]) == (0, True), answer.stdout + answer.stderr
    found = {check["name"]: check["found"] for check in diagnosis["checks"]}
    assert found["Function"] == "steps, x86_64, 2.15 GB"
    assert found["Dead letters"].startswith("they go to dead-")
    assert found["Workers"] == "1 answered"
    assert "1 executor, idle" in found["Worker"]
    assert "Steps queue" not in found
    assert len(function.invocations) == 1, "each would start an environment"


def test_the_doctor_says_what_to_see_to_where_a_function_does_not_answer(
    fleet: Fleet, make_function: MakeFunction
) -> None:
    function = make_function()
    function.deliveries = 0

    answer = orchestrator(fleet, "doctor", LAMBDA, "--wait=1", **of(function))

    assert answer.returncode == 3
    said = " ".join(answer.stdout.split())
    assert "none answered in 1 s" in said
    assert "see the function's log: it needs the ORCH_BUCKET" in said


def test_what_runs_of_a_function_leave_is_cleaned_up_without_a_steps_queue_to_name(
    fleet: Fleet, function: LambdaService
) -> None:
    variables = of(
        function, ORCH_STEPS_QUEUE_URL="", ORCH_PREFIX=f"orchestration-bench/runs/{fleet.folder.name}/${{RUN_ID}}/"
    )
    function.deliveries = 0  # what a completion waits for in a results queue is not cleaned up
    run = fleet.start(LAMBDA, "--steps=100", **variables)
    run.until("a step is sent", lambda _: function.invocations)
    run.process.kill()
    run_id = run.outcome().plan["run_id"]
    assert fleet.results_queues(run_id)

    answer = orchestrator(fleet, "cleanup", run_id, LAMBDA, *OVER, "--yes", **variables)

    assert answer.returncode == 0, answer.stderr
    assert f"removed of {run_id}" in answer.stdout, answer.stdout
    assert fleet.results_queues(run_id) == []
    assert fleet.keys(f"orchestration-bench/runs/{fleet.folder.name}/{run_id}") == []


def test_dead_letters_of_a_function_are_listed_with_reasons_sent_back_and_purged(
    fleet: Fleet, make_function: MakeFunction
) -> None:
    function = make_function()
    step = make_message(
        input=fleet.put_payload(), output=make_output_spec(key_prefix=f"s3://{fleet.bucket}/{PREFIX}x/")
    )
    url = fleet.new_queue("stepbench-results")
    understood = step.model_copy(update={"results_queue_url": url}).model_dump_json()
    for body in (understood, "{}"):
        fleet.clients.sqs.send_message(QueueUrl=fleet.dead_letters_url, MessageBody=body)

    back = orchestrator(fleet, "dead-letters", LAMBDA, "--send-back", **of(function))

    assert back.returncode == 0, back.stderr
    assert "understood: its workers died" in back.stdout
    assert "1 sent back, 1 left" in back.stdout
    assert json.loads(fleet.take(url).body)["run"] == step.run
    purged = orchestrator(fleet, "dead-letters", LAMBDA, "--purge", "--yes", **of(function))
    assert "1 purged, 0 left" in purged.stdout
