"""Whole runs whose workers are containers as a fleet has them: read-only, without rights, ended by signals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.container.surroundings import Surroundings
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums
from tests.runs.waiting import eventually

pytestmark = pytest.mark.infra

FOR_EVER = "7200"
SHORT_VISIBILITY_SECONDS = "5"
STEPS = 3


@pytest.fixture
def saboteur(tmp_path: Path) -> Saboteur:
    return Saboteur(tmp_path)


def test_the_worker_is_the_container_s_first_process_and_may_do_nothing_it_need_not(surroundings: Surroundings) -> None:
    worker = surroundings.worker()

    assert worker.within("cat", "/proc/1/cmdline").rstrip("\0").split("\0") == ["python", "-m", "worker"]
    assert worker.within("id", "-u").strip() == "10001"
    status = dict(line.split(":\t") for line in worker.within("cat", "/proc/1/status").splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == 0
    run = surroundings.start(f"--steps={STEPS}")
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    assert [sample["step"] for sample in outcome.samples] == list(range(1, STEPS + 1))


def test_a_container_told_to_end_in_a_step_finishes_it(surroundings: Surroundings, saboteur: Saboteur) -> None:
    worker = surroundings.worker(saboteur=saboteur, DRAIN_TIMEOUT=FOR_EVER)
    name = worker.log("worker ready")[0]["worker"]
    saboteur.order("wait", "serialize")
    run = surroundings.start(f"--steps={STEPS}")
    saboteur.until_obeyed()

    worker.kill("TERM")
    worker.until_logged("worker ends")
    saboteur.go()

    assert worker.exit_code() == 0
    surroundings.worker()
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    first, *others = outcome.samples
    assert (first["step"], first["worker"], first["receive_count"]) == (1, name, 1)
    assert [sample["step"] for sample in others] == list(range(2, STEPS + 1))
    assert name not in {sample["worker"] for sample in others}
    assert outcome.failures == []
    check_sums(outcome.lines)


def test_what_a_container_cannot_finish_in_time_is_handed_back(surroundings: Surroundings, saboteur: Saboteur) -> None:
    worker = surroundings.worker(saboteur=saboteur, DRAIN_TIMEOUT="0.5", VISIBILITY_TIMEOUT=FOR_EVER)
    saboteur.order("hold", "serialize")
    run = surroundings.start(f"--steps={STEPS}")
    saboteur.until_obeyed()

    worker.kill("TERM")

    assert worker.exit_code() == 0
    assert surroundings.depth() == (1, 0)
    surroundings.worker()
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 1), (2, 1), (3, 1)]
    assert outcome.samples[0]["receive_count"] == 2
    assert outcome.failures == []


def test_a_run_whose_container_is_killed_in_a_step_ends_with_every_sample_once(
    surroundings: Surroundings, saboteur: Saboteur
) -> None:
    worker = surroundings.worker(saboteur=saboteur, VISIBILITY_TIMEOUT=SHORT_VISIBILITY_SECONDS)
    saboteur.order("wait", "upload")
    run = surroundings.start(f"--steps={STEPS}")
    saboteur.until_obeyed()

    worker.kill("KILL")

    assert worker.exit_code() == 128 + signal.SIGKILL
    surroundings.worker()
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 1), (2, 1), (3, 1)]
    assert outcome.samples[0]["receive_count"] == 2
    check_sums(outcome.lines)


def test_a_container_is_healthy_until_its_worker_stands_still(surroundings: Surroundings) -> None:
    worker = surroundings.worker()
    eventually("it is healthy", lambda: worker.health() == 0)

    # Within its own container nobody can stop the first process; from outside it stands like one that is stuck.
    pid = worker.state()["Pid"]
    os.kill(pid, signal.SIGSTOP)
    eventually("it is unhealthy", lambda: worker.health() == 1)
    os.kill(pid, signal.SIGCONT)

    eventually("it is healthy again", lambda: worker.health() == 0)


@pytest.mark.parametrize(
    ("cores", "told", "executors"), [("1", "", 1), ("1.5", "", min(2, os.cpu_count() or 1)), ("1", "3", 3)]
)
def test_a_worker_has_as_many_executors_as_its_container_has_cores_or_as_it_is_told(
    surroundings: Surroundings, cores: str, told: str, executors: int
) -> None:
    worker = surroundings.worker(f"--cpus={cores}", EXECUTORS=told)

    assert worker.log("worker ready")[0]["executors"] == executors
