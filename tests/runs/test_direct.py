"""Runs without a queue: what they tell, and what becomes of their executors on bad days."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from orchestrator.local import environment
from stepbench import machine
from stepbench.samples import PHASES
from tests.processes import alive_in_group
from tests.runs.commands import orchestrator
from tests.runs.fleet import Fleet
from tests.runs.programs import Outcome, RunProgram
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums
from tests.runs.waiting import eventually

DIRECT = "--channel=direct"
OF_QUEUES = ("queue_wait_ns", "receive_count", "results_wait_ns", "results_receive_count", "redelivery_ns")
EMBEDDED = {"ORCH_BUCKET": "", "ORCH_STEPS_QUEUE_URL": ""}


def children(run: RunProgram, pattern: str = "") -> dict[int, str]:
    """The command lines of the run's own children, by process id."""
    found = subprocess.run(["pgrep", "-a", "-P", str(run.process.pid)], capture_output=True, text=True, check=False)
    lines = (line.partition(" ") for line in found.stdout.splitlines())
    return {int(pid): command for pid, _, command in lines if pattern in command}


def executors(run: RunProgram) -> dict[int, str]:
    return children(run, "worker.executor")


def test_a_run_has_samples_without_what_a_queue_would_tell_and_its_sums_come_out(fleet: Fleet) -> None:
    outcome = fleet.run(DIRECT, "--steps=3", "--concurrency=2", "--warmup=1", "--json")

    assert outcome.exit_code == 0, outcome.stderr
    assert {sample[name] for sample in outcome.samples for name in OF_QUEUES} == {None}
    assert len(outcome.samples) == 6
    check_sums(outcome.lines)
    assert outcome.summary["choices"]["channel"] == ["direct"]
    assert not {"queue_wait", "results_wait", "redelivery"} & outcome.summary["parts"].keys()
    assert outcome.summary["parts"]["transit"]["duration_ns"]["p50"] < outcome.summary["step_ns"]["p50"]
    assert outcome.lines[0]["sqs_round_trips_ns"] == []
    assert {sample["sqs_requests"] for sample in outcome.samples} == {0}
    assert [event["sqs_requests"] for event in outcome.events("closing")] == [0]


def test_it_needs_no_queue_to_be_named_and_no_sqs_to_be_there(fleet: Fleet) -> None:
    nowhere = {"ORCH_STEPS_QUEUE_URL": "", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1"}

    outcome = fleet.run(DIRECT, "--steps=1", **nowhere)

    assert outcome.exit_code == 0, outcome.stderr
    assert (outcome.plan["steps_queue_url"], outcome.plan["results_queue_url"]) == (None, None)
    assert "Channel      direct, which has no queue wait, results wait or redelivery" in outcome.stdout


def test_queues_that_a_stacks_env_names_are_left_alone(fleet: Fleet) -> None:
    outcome = fleet.run(DIRECT, "--steps=1")

    assert outcome.exit_code == 0, outcome.stderr
    assert fleet.depth() == (0, 0)
    assert fleet.results_queues(outcome.plan["run_id"]) == []


def test_the_embedded_stack_is_an_s3_alone_and_the_executors_are_as_many_as_chains_or_cores(fleet: Fleet) -> None:
    run = fleet.start(DIRECT, "--steps=200", "--concurrency=3", **EMBEDDED)
    run.until("a step is done", lambda so_far: so_far.samples)

    assert len(executors(run)) == min(3, machine.cores())
    (emulator,) = children(run, "orchestrator.local.emulator").values()
    assert emulator.endswith("s3")
    assert children(run, "-m worker ") == {}
    run.send(signal.SIGINT)
    assert run.exit_code() == 130


def test_an_executor_killed_in_any_phase_is_reported_with_it_and_replaced(fleet: Fleet, saboteur: Saboteur) -> None:
    for phase in PHASES:
        saboteur.order("kill", phase)

    outcome = fleet.run(DIRECT, "--steps=2", f"--max-attempts={len(PHASES) + 1}", **saboteur.variables)

    assert outcome.exit_code == 0, outcome.stderr
    assert sorted(failure["phase"] for failure in outcome.failures) == sorted(PHASES)
    assert {failure["error_class"] for failure in outcome.failures} == {"ExecutorDied"}
    assert all("SIGKILL" in failure["message"] for failure in outcome.failures)
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 9), (2, 1)]
    check_sums(outcome.lines)


def test_a_step_beyond_its_timeout_is_ended_and_tried_again(fleet: Fleet, saboteur: Saboteur) -> None:
    saboteur.order("hold", "transform")

    outcome = fleet.run(DIRECT, "--steps=1", "--step-timeout=1", **saboteur.variables)

    assert outcome.exit_code == 0, outcome.stderr
    assert [(failure["error_class"], failure["phase"]) for failure in outcome.failures] == [
        ("StepTimeout", "transform")
    ]
    check_sums(outcome.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_executors_end_with_an_orchestrator_that_is_told_to_end(fleet: Fleet, number: signal.Signals) -> None:
    run = fleet.start(DIRECT, "--steps=1", "--transform=cpu", TRANSFORM_CPU_MS="600000", EXECUTORS="2")
    run.until("a step is dispatched", lambda so_far: so_far.events("dispatching"))

    run.send(number)

    assert run.exit_code() == 130
    assert "To go on with it: python -m orchestrator resume" in run.stderr
    eventually("none of its executors is left", lambda: not alive_in_group(run.process.pid))


def test_a_run_whose_orchestrator_is_killed_in_mid_step_is_gone_on_with_at_once(fleet: Fleet) -> None:
    killed = fleet.start(DIRECT, "--steps=4", "--concurrency=2", "--transform=cpu", TRANSFORM_CPU_MS="300")
    killed.until("a step of each is done", lambda so_far: {line["chain"] for line in so_far.samples} == {1, 2})
    killed.process.kill()
    killed.exit_code()
    eventually("its executors end with it", lambda: not alive_in_group(killed.process.pid))

    resumed = fleet.resume(killed.folder, _run_id(killed.folder))  # STALL_TIMEOUT is longer than any test lasts

    assert resumed.exit_code == 0, resumed.stderr
    assert _steps(resumed) == [(chain, step) for chain in (1, 2) for step in (1, 2, 3, 4)]
    assert {sample["attempt"] for sample in resumed.samples} == {1}, "what was not answered is sent again as it was"
    assert resumed.events("lost") == []
    assert resumed.exit_code == 0


@pytest.mark.parametrize("point", ["after writing dispatching", "in writing sample", "after writing sample"])
def test_killed_at_any_point_and_resumed_it_ends_with_the_same_samples(
    fleet: Fleet, saboteur: Saboteur, point: str
) -> None:
    saboteur.order_at("kill", f"orchestrator {point}", passes=2)
    killed = fleet.start(DIRECT, "--steps=3", "--concurrency=2", **saboteur.variables)
    assert killed.exit_code() == -signal.SIGKILL

    resumed = fleet.resume(killed.folder, _run_id(killed.folder))

    assert resumed.exit_code == 0, resumed.stderr
    assert _steps(resumed) == [(chain, step) for chain in (1, 2) for step in (1, 2, 3)]
    assert resumed.failures == []


def test_a_queue_that_is_named_since_is_no_contradiction_to_a_run_that_had_none(fleet: Fleet) -> None:
    first = fleet.start(DIRECT, "--steps=3", "--transform=cpu", TRANSFORM_CPU_MS="200", ORCH_STEPS_QUEUE_URL="")
    first.until("a step is done", lambda so_far: so_far.samples)
    first.send(signal.SIGINT)
    first.exit_code()

    resumed = fleet.resume(first.folder, _run_id(first.folder))

    assert resumed.exit_code == 0, resumed.stderr


def test_executors_that_cannot_start_are_told_before_a_step_is_sent(fleet: Fleet, tmp_path: Path) -> None:
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text("import sys\nif 'worker.executor' in sys.orig_argv: sys.exit('no executor today')\n")

    outcome = fleet.run(DIRECT, "--steps=1", PYTHONPATH=str(tmp_path))

    assert outcome.exit_code == 3
    assert "did not start; what it said stands above" in outcome.stderr
    assert outcome.events("dispatching") == []


def test_its_executors_see_nothing_of_the_users_aws_where_the_stack_is_embedded(fleet: Fleet) -> None:
    run = fleet.start(DIRECT, "--steps=100", **EMBEDDED, AWS_PROFILE="of-the-user", AWS_ACCESS_KEY_ID="AKIAOFTHEUSER")
    run.until("a step is done", lambda so_far: so_far.samples)

    (executor, *_) = executors(run)
    seen = Path(f"/proc/{executor}/environ").read_bytes().decode().split("\0")
    assert f"AWS_ACCESS_KEY_ID={environment.CREDENTIALS['AWS_ACCESS_KEY_ID']}" in seen
    assert not [line for line in seen if "OFTHEUSER" in line or "of-the-user" in line]
    os.kill(run.process.pid, signal.SIGTERM)
    run.exit_code()


def _run_id(folder: Path) -> str:
    (file,) = (folder / "out").glob("metrics-*.jsonl")
    return file.stem.removeprefix("metrics-")


def _steps(outcome: Outcome) -> list[tuple[int, int]]:
    return sorted((sample["chain"], sample["step"]) for sample in outcome.samples)


def test_the_doctor_looks_at_the_bucket_alone_and_says_why(fleet: Fleet) -> None:
    answer = orchestrator(fleet, "doctor", DIRECT, "--json", ORCH_STEPS_QUEUE_URL="")

    diagnosis = json.loads(answer.stdout)
    assert (answer.returncode, diagnosis["ok"]) == (0, True), answer.stdout
    names = {check["name"]: check["found"] for check in diagnosis["checks"]}
    assert names["Queues"] == "not looked at: CHANNEL=direct has none, and no workers"
    assert "Steps queue" not in names
    assert set(diagnosis["round_trips_ns"]) == {"s3"}


def test_what_runs_without_queues_leave_is_cleaned_up_without_a_queue_to_name(fleet: Fleet) -> None:
    prefix = {"ORCH_PREFIX": f"{fleet.folder.name}/${{RUN_ID}}/", "ORCH_STEPS_QUEUE_URL": ""}
    outcome = fleet.run(DIRECT, "--steps=1", **prefix)
    assert fleet.keys(fleet.folder.name)

    metrics_dir = str(next(fleet.folder.glob("run-*/out")))
    words = ("cleanup", outcome.plan["run_id"], "--channel=direct", "--yes", f"--metrics-dir={metrics_dir}")
    answer = orchestrator(fleet, *words, **prefix)

    assert answer.returncode == 0, answer.stderr
    assert fleet.keys(fleet.folder.name) == []
