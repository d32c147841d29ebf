from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

from stepbench.messages import StepMessage, parse
from tests.runs.commands import orchestrator
from tests.runs.fleet import PREFIX, Fleet
from tests.runs.programs import Program
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually


def diagnosed(fleet: Fleet, *flags: str, **variables: str) -> tuple[int, dict[str, Any]]:
    answer = orchestrator(fleet, "doctor", "--json", *flags, **variables)
    assert answer.stderr == ""
    return answer.returncode, json.loads(answer.stdout)


def wrong(diagnosis: dict[str, Any]) -> dict[str, str]:
    """What is wrong, by the check's name, with what mends it."""
    checks = [check for check in diagnosis["checks"] if check["state"] == "wrong"]
    return {check["name"]: f"{check['found']}; {check['mend']}" for check in checks}


def test_every_worker_that_answers_is_told_and_nothing_is_left_behind(fleet: Fleet) -> None:
    fleet.worker(EXECUTORS="2")
    fleet.worker()

    code, diagnosis = diagnosed(fleet, "--workers", "2", "--wait", "100")

    assert (code, diagnosis["ok"], wrong(diagnosis)) == (0, True, {})
    assert len({worker["worker"] for worker in diagnosis["workers"]}) == 2
    states = [worker["answer"]["state"] for worker in diagnosis["workers"]]
    assert sorted(state["executors"] for state in states) == [1, 2]
    assert all((state["busy_executors"], state["held_steps"]) == (0, 0) for state in states)
    assert set(diagnosis["round_trips_ns"]) == {"sqs", "s3"}
    fleet.until_depth((0, 0))
    run_id = queue_of(diagnosis).removeprefix("stepbench-results-")
    assert fleet.results_queues(run_id) == []
    assert [key for key in fleet.keys(PREFIX) if run_id in key] == []


def queue_of(diagnosis: dict[str, Any]) -> str:
    (found,) = [check["found"] for check in diagnosis["checks"] if check["name"] == "Results queue"]
    name: str = found.rpartition(" ")[2]
    return name


def test_a_worker_at_work_tells_for_which_run_and_the_run_knows_nothing_of_it(fleet: Fleet, saboteur: Saboteur) -> None:
    saboteur.order("wait", "transform")
    fleet.worker(EXECUTORS="2", **saboteur.variables)
    run = fleet.start("--steps", "2", "--json")
    saboteur.until_obeyed()

    code, diagnosis = diagnosed(fleet, "--workers", "1", "--wait", "100")
    saboteur.go()
    outcome = run.outcome()

    assert code == 0
    (worker,) = diagnosis["workers"]
    state = worker["answer"]["state"]
    assert (state["executors"], state["busy_executors"], state["held_steps"]) == (2, 1, 1)
    assert state["runs"] == [outcome.plan["run_id"]]
    assert outcome.exit_code == 0
    assert len(outcome.samples) == 2
    assert (outcome.failures, outcome.events("foreign")) == ([], [])


def test_where_no_worker_runs_that_is_told_and_the_probes_expire_soon(fleet: Fleet) -> None:
    answer = orchestrator(fleet, "doctor", "--wait", "1", COLUMNS="60")

    assert (answer.returncode, answer.stderr) == (3, "")
    assert "none answered in 1 s" in " ".join(answer.stdout.split())
    assert "Mend: start a worker" in answer.stdout
    assert "1 thing wrong." in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 60
    probe = parse(StepMessage, fleet.take().body)
    assert probe.step_kind == "probe"


def test_without_waiting_nothing_is_sent_to_the_workers(fleet: Fleet) -> None:
    code, diagnosis = diagnosed(fleet, "--wait", "0")
    assert (code, wrong(diagnosis), fleet.depth()) == (0, {}, (0, 0))


def test_a_worker_with_another_prefix_says_so(fleet: Fleet) -> None:
    fleet.worker(ORCH_PREFIX="elsewhere/${RUN_ID}/")
    code, diagnosis = diagnosed(fleet, "--workers", "1", "--wait", "100")
    assert code == 3
    assert "ORCH_BUCKET and ORCH_PREFIX must be the same here" in wrong(diagnosis)["Worker"]


def test_a_shared_results_queue_is_used_as_runs_do(fleet: Fleet) -> None:
    shared = fleet.new_queue("shared")
    fleet.worker(ORCH_RESULTS_QUEUE_URL=shared)
    code, diagnosis = diagnosed(fleet, "--workers", "1", "--wait", "100", ORCH_RESULTS_QUEUE_URL=shared)
    assert (code, len(diagnosis["workers"])) == (0, 1)
    fleet.until_depth((0, 0), shared)


def test_a_missing_bucket_and_a_queue_without_redrive_are_told_together(fleet: Fleet) -> None:
    plain = fleet.new_queue("plain")
    code, diagnosis = diagnosed(fleet, "--wait", "0", ORCH_BUCKET="not-there", ORCH_STEPS_QUEUE_URL=plain)
    assert code == 3
    told = wrong(diagnosis)
    assert set(told) == {"Bucket", "Redrive"}
    assert "--bucket (ORCH_BUCKET)" in told["Bucket"]


def test_a_steps_queue_that_is_not_there_is_told_and_the_rest_looked_at(fleet: Fleet) -> None:
    gone = f"{fleet.steps_queue_url}-gone"
    code, diagnosis = diagnosed(fleet, "--wait", "0", ORCH_STEPS_QUEUE_URL=gone)
    assert code == 3
    assert "--steps-queue-url (ORCH_STEPS_QUEUE_URL)" in wrong(diagnosis)["Steps queue"]
    assert [check["state"] for check in diagnosis["checks"] if check["name"] == "Bucket"] == ["ok"]


def test_a_doctor_that_is_interrupted_leaves_no_queue_behind(fleet: Fleet, tmp_path: Path) -> None:
    doctor = Program(["orchestrator", "doctor", "--wait", "300"], tmp_path / "doctor", fleet.environment())
    try:
        eventually("probes are sent", lambda: fleet.depth()[0] > 0)
        (queue,) = re.findall(r"stepbench-results-([0-9a-f-]+)", doctor.stdout)
        doctor.send(signal.SIGINT)
        assert doctor.exit_code() == 130
    finally:
        doctor.kill()
    assert "Traceback" not in doctor.stderr
    assert fleet.results_queues(queue) == []
