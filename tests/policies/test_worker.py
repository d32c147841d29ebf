"""What becomes of steps, of messages and of the worker itself when it lacks one action of its policy."""

from __future__ import annotations

from pathlib import Path
from time import time

import pytest

from tests.factories import make_message
from tests.policies.place import SMALL, START, WITH_KEY, Place, allow, failures, sentence_in
from tests.policies.taken_away import (
    ENDS_A_WORKER,
    FAILS_A_STEP,
    OF_THE_KEY,
    TO_DELETE_ORPHANS,
    TO_KEEP_HIDDEN,
    Allowed,
)
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

pytestmark = pytest.mark.infra


@pytest.mark.parametrize("without", [*FAILS_A_STEP, *OF_THE_KEY], ids=" ".join)
def test_without_it_a_workers_steps_fail_and_say_why(place: Place, without: Allowed) -> None:
    key = WITH_KEY if without in OF_THE_KEY else {}
    allow(place, "worker", without, **key)
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL, **key)

    assert ended.returncode == 1, ended.stderr
    (failure,) = failures()
    assert failure["retryable"] is False
    assert without[1].partition(":")[2] in failure["message"]


@pytest.mark.parametrize("without", ENDS_A_WORKER, ids=" ".join)
def test_without_it_a_worker_is_refused_and_says_what_would_allow_it(place: Place, without: Allowed) -> None:
    allow(place, "worker", without)
    # So many steps that no receive of the worker's waits for one.
    with place.working() as worker, place.starting("--concurrency", "60"):
        assert worker.exit_code() == 3, worker.stderr

    assert sentence_in(worker.stderr, without[1])["Sid"] == without[0]


def test_a_worker_that_may_not_delete_publishes_what_it_has_done_all_the_same(place: Place) -> None:
    allow(place, "worker", ("TakeSteps", "sqs:DeleteMessage"))
    with place.working() as worker, place.starting("--concurrency", "60") as run:
        assert worker.exit_code() == 3, worker.stderr
        (kept,) = worker.log_lines("could not delete step messages")[:1]
        run.until("its steps are counted", lambda so_far: len(so_far.samples) >= kept["count"])


def test_a_worker_that_may_not_delete_even_what_has_expired_says_so_too(place: Place) -> None:
    allow(place, "worker", ("TakeSteps", "sqs:DeleteMessage"))
    url = place.settings["ORCH_STEPS_QUEUE_URL"]
    results = f"{url.rpartition('/')[0]}/{place.settings['ORCH_RESULTS_QUEUE_PREFIX']}r1"
    expired = make_message(results_queue_url=results, expires_at=time() - 1).model_dump_json()
    for _ in range(60):
        place.account.client("sqs").send_message(QueueUrl=url, MessageBody=expired)
    with place.working() as worker:
        assert worker.exit_code() == 3, worker.stderr

    assert sentence_in(worker.stderr, "sqs:DeleteMessage")["Sid"] == "TakeSteps"


def test_a_worker_that_may_not_keep_its_messages_hidden_finishes_its_step_and_ends(
    place: Place, tmp_path: Path
) -> None:
    allow(place, "worker", TO_KEEP_HIDDEN)
    saboteur = Saboteur(tmp_path)
    saboteur.order("wait", "transform")
    with place.working(VISIBILITY_TIMEOUT="2", **saboteur.variables) as worker, place.starting() as run:
        worker.until_logged("worker ends")
        saboteur.go()
        assert worker.exit_code() == 3, worker.stderr
        run.until("the step is counted", lambda so_far: so_far.samples)

    assert sentence_in(worker.stderr, TO_KEEP_HIDDEN[1])["Sid"] == TO_KEEP_HIDDEN[0]


@pytest.mark.parametrize("without", [None, TO_DELETE_ORPHANS], ids=["with it", "without it"])
def test_without_it_a_worker_leaves_the_output_that_nobody_waits_for_and_says_why(
    place: Place, tmp_path: Path, without: Allowed | None
) -> None:
    allow(place, "worker", without)
    saboteur = Saboteur(tmp_path)
    saboteur.order("wait", "transform")
    with place.working(**saboteur.variables) as worker:
        worker.until_logged("worker ready")
        with place.starting("--step-expiry", "4"):
            saboteur.until_obeyed()
            expires_at = time() + 4
        for url in place.results_queues():
            place.account.client("sqs").delete_queue(QueueUrl=url)
        eventually("the step has expired", lambda: time() > expires_at)
        saboteur.go()
        worker.until_logged("results queue is gone")
        if without is None:
            eventually("the output is gone", lambda: place.outputs() == [])
            return
        (told,) = worker.until_logged("could not delete an output that nobody waits for")
    assert without[1].partition(":")[2] in told["error"]
    assert [told["uri"]] == place.outputs()
