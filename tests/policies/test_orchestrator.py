"""What becomes of a run when its orchestrator lacks one action of its policy."""

from __future__ import annotations

import pytest

from tests.policies.place import IN_PARTS, SMALL, START, WITH_KEY, Place, allow, sentence_in
from tests.policies.taken_away import (
    ENDS_A_RUN,
    ENDS_A_RUN_AT_ONCE,
    ENDS_A_RUN_ON_A_SHARED_QUEUE,
    ENDS_A_RUN_WITH_A_COPY,
    OF_THE_KEY,
    TO_FIND_DEAD_LETTERS,
    TO_GIVE_UP,
    Allowed,
)
from tests.runs.waiting import eventually

pytestmark = pytest.mark.infra


@pytest.mark.parametrize("without", ENDS_A_RUN_AT_ONCE, ids=" ".join)
def test_without_it_the_orchestrator_is_refused_before_a_worker_is_wanted_and_says_so(
    place: Place, without: Allowed
) -> None:
    allow(place, "orchestrator", without)
    ended = place.run_as(place.orchestrator, *START, *SMALL)

    assert ended.returncode == 3, ended.stderr
    assert without[1] in sentence_in(ended.stderr, without[1])["Action"]


@pytest.mark.parametrize("without", ENDS_A_RUN, ids=" ".join)
def test_without_it_the_orchestrator_is_refused_and_says_what_would_allow_it(place: Place, without: Allowed) -> None:
    allow(place, "orchestrator", without, CLEANUP="true")
    with place.working():
        # So many completions that some are deleted before the queue is.
        ended = place.run_as(place.orchestrator, *START, *SMALL, "--concurrency", "6", CLEANUP="true")

    assert ended.returncode == 3, ended.stderr
    statement = sentence_in(ended.stderr, without[1])
    assert without[1] in statement["Action"]


@pytest.mark.parametrize("without", ENDS_A_RUN_WITH_A_COPY, ids=" ".join)
def test_without_it_the_orchestrator_cannot_keep_a_copy_of_its_metrics_and_says_so(
    place: Place, without: Allowed
) -> None:
    allow(place, "orchestrator", without, METRICS_SYNC_SECONDS="1")
    with place.working():
        ended = place.run_as(place.orchestrator, *START, *SMALL, METRICS_SYNC_SECONDS="1")

    assert ended.returncode == 3, ended.stderr
    assert sentence_in(ended.stderr, without[1])["Sid"] == without[0]


@pytest.mark.parametrize("without", ENDS_A_RUN_ON_A_SHARED_QUEUE, ids=" ".join)
def test_without_it_the_orchestrator_cannot_share_a_results_queue_and_says_so(place: Place, without: Allowed) -> None:
    results = place.shared_results_queue()
    allow(place, "orchestrator", without, ORCH_RESULTS_QUEUE_URL=results)
    ended = place.run_as(place.orchestrator, *START, *SMALL, ORCH_RESULTS_QUEUE_URL=results)

    assert ended.returncode == 3, ended.stderr
    assert sentence_in(ended.stderr, without[1])["Sid"] == "ShareResultsQueue"


@pytest.mark.parametrize("without", OF_THE_KEY, ids=" ".join)
def test_without_it_the_orchestrator_cannot_use_the_key_and_says_so(place: Place, without: Allowed) -> None:
    allow(place, "orchestrator", without, **WITH_KEY)
    ended = place.run_as(place.orchestrator, *START, *IN_PARTS, **WITH_KEY)

    assert ended.returncode == 3, ended.stderr
    statement = sentence_in(ended.stderr, without[1])
    assert (statement["Sid"], statement["Resource"]) == ("UseKey", WITH_KEY["KMS_KEY_ID"])


@pytest.mark.parametrize("without", [None, *TO_FIND_DEAD_LETTERS], ids=str)
def test_without_it_a_run_finds_none_of_its_dead_letters_and_waits_for_the_stall_timeout(
    place: Place, without: Allowed | None
) -> None:
    allow(place, "orchestrator", without)
    sqs, steps = place.account.client("sqs"), place.settings["ORCH_STEPS_QUEUE_URL"]
    # It looks every quarter of that: with the right, the letter must be found in good time on a busy machine, too.
    stall_timeout = "8" if without is None else "4"
    with place.starting("--stall-timeout", stall_timeout, "--max-attempts", "2", LOG_LEVEL="info") as run:
        (message,) = eventually("a step", lambda: sqs.receive_message(QueueUrl=steps).get("Messages"))
        sqs.send_message(QueueUrl=place.dead_letters_url, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=steps, ReceiptHandle=message["ReceiptHandle"])
        (lost,) = run.until("the step is given up", lambda so_far: so_far.events("lost"))
        told = "could not look for dead letters" in run.stderr

    assert ("STALL_TIMEOUT" in lost["message"]) is (without is not None)
    assert told is (without is not None)


def test_without_it_a_run_gives_no_step_up_and_says_what_it_may_not_see(place: Place) -> None:
    allow(place, "orchestrator", TO_GIVE_UP)
    sqs, steps = place.account.client("sqs"), place.settings["ORCH_STEPS_QUEUE_URL"]
    with place.starting("--stall-timeout", "2") as run:
        (message,) = eventually("a step", lambda: sqs.receive_message(QueueUrl=steps).get("Messages"))
        sqs.delete_message(QueueUrl=steps, ReceiptHandle=message["ReceiptHandle"])
        code = run.exit_code()

    assert code == 3
    assert "sqs:GetQueueAttributes was refused" in run.stderr
    assert not run.outcome().events("lost")
