from __future__ import annotations

import pytest

from orchestrator.doctor.findings import AnsweringWorker, Check
from orchestrator.doctor.workers import judged
from stepbench.probes import ProbeAnswer, WorkerState

BUSY = WorkerState(executors=4, busy_executors=3, held_steps=5, runs=("r1", "r2"), up_seconds=75.0)
IDLE = WorkerState(executors=1, busy_executors=0, held_steps=0, runs=(), up_seconds=5.0)


def answering(state: WorkerState | None = IDLE, version: str = "1.0") -> AnsweringWorker:
    answer = ProbeAnswer(
        version=version, python="3.11", platform="Linux", cores=4, memory_bytes=8_000_000_000, state=state
    )
    return AnsweringWorker(worker="w1", host="h1", answer=answer, error=None)


def told(*workers: AnsweringWorker, wanted: int | None = None) -> list[Check]:
    return list(
        judged(
            workers,
            version="1.0",
            wait_seconds=10,
            wanted=wanted,
            beside="; the steps queue has no messages",
            unanswered=0,
        )
    )


def test_a_worker_tells_what_it_is_and_does() -> None:
    checks = told(answering(BUSY), answering())
    assert [check.state for check in checks] == ["ok"] * 3
    assert checks[1].found == (
        "w1: 4 executors, 3 busy, 5 steps held of r1, r2, up 1 min 15 s; stepbench 1.0, 4 cores, 8.00 GB"
    )
    assert "1 executor, idle, up 5 s" in checks[2].found


def test_a_worker_of_another_version_is_told_and_stops_nothing() -> None:
    assert told(answering(version="0.9"))[1].state == "note"


def test_a_worker_of_before_there_were_probes_is_told_as_that() -> None:
    older = AnsweringWorker(worker="w1", host="h1", answer=None, error="'probe' is not one of payload")
    check = told(older)[1]
    assert (check.state, check.mend) == ("note", "build and deploy its image again")


def test_a_worker_that_refuses_is_wrong_with_its_own_reason() -> None:
    refusing = AnsweringWorker(worker="w1", host="h1", answer=None, error="not below its prefix; ORCH_PREFIX mends it")
    check = told(refusing)[1]
    assert (check.state, check.found, check.mend) == ("wrong", "w1: not below its prefix", "ORCH_PREFIX mends it")


@pytest.mark.parametrize("wanted", [None, 2])
def test_too_few_are_wrong_with_where_to_look(wanted: int | None) -> None:
    (check, *_) = told(wanted=wanted) if wanted is None else told(answering(), wanted=wanted)
    assert check.state == "wrong"
    assert "ORCH_PREFIX" in (check.mend or "")
