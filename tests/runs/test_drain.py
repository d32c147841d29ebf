from __future__ import annotations

import signal
from time import monotonic

from tests.runs.fleet import Fleet
from tests.runs.saboteur import Saboteur
from tests.runs.sums import check_sums
from tests.runs.waiting import eventually

FOR_EVER = "7200"
SHORT_VISIBILITY_SECONDS = 2


def test_a_worker_told_to_end_keeps_its_step_finishes_and_publishes_it(fleet: Fleet, saboteur: Saboteur) -> None:
    worker = fleet.worker(
        **saboteur.variables, DRAIN_TIMEOUT=FOR_EVER, VISIBILITY_TIMEOUT=str(SHORT_VISIBILITY_SECONDS)
    )
    saboteur.order("wait", "serialize")
    run = fleet.start("--steps=1")
    saboteur.until_obeyed()

    worker.send(signal.SIGTERM)
    worker.until_logged("worker ends")
    told_at = monotonic()
    eventually("its visibility would have run out", lambda: monotonic() > told_at + 2 * SHORT_VISIBILITY_SECONDS)
    assert fleet.depth() == (0, 1)
    saboteur.go()

    assert worker.exit_code() == 0
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    name = worker.log_lines("worker ready")[0]["worker"]
    assert [(sample["worker"], sample["receive_count"]) for sample in outcome.samples] == [(name, 1)]
    assert fleet.depth() == (0, 0)


def test_a_step_that_is_not_done_within_the_grace_time_is_handed_back_at_once(fleet: Fleet, saboteur: Saboteur) -> None:
    worker = fleet.worker(**saboteur.variables, DRAIN_TIMEOUT="0.5")
    saboteur.order("hold", "serialize")
    run = fleet.start("--steps=1")
    saboteur.until_obeyed()

    worker.send(signal.SIGTERM)

    assert worker.exit_code() == 0
    # Its visibility timeout is minutes: only a worker that hands it back makes it visible now.
    assert fleet.depth() == (1, 0)
    fleet.worker()
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["attempt"], sample["receive_count"]) for sample in outcome.samples] == [(1, 2)]
    assert outcome.failures == []
    check_sums(outcome.lines)


def test_a_worker_that_is_hurried_ends_although_sqs_answers_nothing(fleet: Fleet, saboteur: Saboteur) -> None:
    worker = fleet.worker(**saboteur.variables, DRAIN_TIMEOUT=FOR_EVER, READ_TIMEOUT="3600", VISIBILITY_TIMEOUT="2")
    saboteur.order("hold", "serialize")
    fleet.start("--steps=1")
    saboteur.until_obeyed()

    with fleet.silent("SQS"):
        worker.send(signal.SIGTERM)
        worker.until_logged("worker ends")
        worker.send(signal.SIGTERM)

        assert worker.exit_code() == 0
    (told,) = worker.log_lines("ends before its last calls were answered")
    assert "executor-0" in told["threads"]
    fleet.until_depth((1, 0))


def test_a_second_signal_hurries_a_worker(fleet: Fleet, saboteur: Saboteur) -> None:
    worker = fleet.worker(**saboteur.variables, DRAIN_TIMEOUT=FOR_EVER)
    saboteur.order("hold", "serialize")
    fleet.start("--steps=1")
    saboteur.until_obeyed()

    worker.send(signal.SIGTERM)
    worker.until_logged("worker ends")
    assert fleet.depth() == (0, 1)
    worker.send(signal.SIGTERM)

    assert worker.exit_code() == 0
    assert fleet.depth() == (1, 0)
    assert worker.log_lines("executor lost") == []
