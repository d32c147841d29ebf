from __future__ import annotations

import os
import signal
import subprocess

from stepbench.samples import PHASES
from tests.processes import alive_in_group
from tests.runs.fleet import Fleet
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums
from tests.runs.waiting import eventually


def test_a_step_whose_worker_is_killed_is_done_by_another_and_counted_once(fleet: Fleet, saboteur: Saboteur) -> None:
    killed = fleet.worker(**saboteur.variables, VISIBILITY_TIMEOUT="3")
    saboteur.order("hold", "transform")
    run = fleet.start("--steps=2", "--json")
    saboteur.until_obeyed()

    killed.send(signal.SIGKILL)
    killed.exit_code()
    second = fleet.worker(VISIBILITY_TIMEOUT="3")
    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    first_step, second_step = outcome.samples
    assert first_step["worker"] == second.log_lines("worker ready")[0]["worker"]
    assert (first_step["attempt"], first_step["receive_count"]) == (1, 2)
    assert first_step["transit_ns"] == 0
    # The message stayed hidden for the rest of its visibility timeout, most of it outside any clock of the worker's.
    assert first_step["redelivery_ns"] > 0
    assert (second_step["receive_count"], second_step["redelivery_ns"]) == (1, 0)
    assert outcome.failures == outcome.events("lost") == outcome.events("duplicate") == []
    assert outcome.summary["counts"]["samples"] == 2
    check_sums(outcome.lines)
    eventually("the killed worker's executor is gone", lambda: not alive_in_group(killed.process.pid))


def test_an_executor_killed_in_any_phase_is_reported_with_it_and_replaced(fleet: Fleet, saboteur: Saboteur) -> None:
    worker = fleet.worker(**saboteur.variables)
    for phase in PHASES:
        saboteur.order("kill", phase)

    outcome = fleet.run("--steps=2", f"--max-attempts={len(PHASES) + 1}", "--json")

    assert outcome.exit_code == 0, outcome.stderr
    # In the order in which a step runs through them: what comes in is checked before it is looked into.
    expected = ["download", "checksum", *(phase for phase in PHASES if phase not in ("download", "checksum"))]
    assert [failure["phase"] for failure in outcome.failures] == expected
    assert {(failure["error_class"], failure["retryable"]) for failure in outcome.failures} == {("ExecutorDied", True)}
    assert all("SIGKILL" in failure["message"] for failure in outcome.failures)
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 9), (2, 1)]
    assert outcome.summary["counts"]["retries"] == len(PHASES)
    assert worker.process.poll() is None
    assert len(worker.executor_pids()) == 1
    fleet.until_depth((0, 0))
    check_sums(outcome.lines)


def test_an_executor_killed_while_idle_is_replaced_and_costs_no_step_an_attempt(fleet: Fleet) -> None:
    worker = fleet.worker()
    (killed,) = worker.executor_pids()

    os.kill(killed, signal.SIGKILL)
    (told,) = worker.until_logged("executor lost while it had no step")
    outcome = fleet.run("--steps=1", "--max-attempts=1", "--json")

    assert "SIGKILL" in told["reason"]
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.failures == []
    assert [sample["receive_count"] for sample in outcome.samples] == [1]
    (successor,) = worker.executor_pids()
    assert successor != killed


def test_a_run_whose_own_worker_is_killed_ends_with_a_sentence(fleet: Fleet) -> None:
    embedded = {"ORCH_BUCKET": "", "ORCH_STEPS_QUEUE_URL": "", "EXECUTORS": "1", "STALL_TIMEOUT": "1"}
    run = fleet.start("--steps=50", "--transform=cpu", **embedded, TRANSFORM_CPU_MS="300")
    run.until("a step is done", lambda so_far: so_far.samples)
    own = ["pgrep", "-P", str(run.process.pid), "-f", "worker --while-stdin-open"]
    worker = int(subprocess.run(own, capture_output=True, text=True, check=True).stdout)

    os.kill(worker, signal.SIGKILL)
    outcome = run.outcome()

    assert (outcome.exit_code, outcome.stdout) == (3, "")
    assert outcome.stderr.startswith("the worker was killed by SIGKILL, as the kernel does when memory runs out\n")
    assert "Traceback" not in outcome.stderr
    assert outcome.samples
    eventually("the worker's executor is gone", lambda: not alive_in_group(worker))
