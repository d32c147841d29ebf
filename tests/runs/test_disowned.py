"""Workers that learn, while a step is under way, that nobody wants it of them any more."""

from __future__ import annotations

from uuid import uuid4

from stepbench.messages import StepMessage
from stepbench.s3_uris import bucket_and_key, uri
from tests.factories import make_message, make_output_spec
from tests.runs.fleet import PREFIX, Fleet
from tests.runs.saboteur import Saboteur


def outputs(fleet: Fleet, key_prefix: str) -> list[str]:
    return fleet.keys(bucket_and_key(key_prefix)[1])


def test_a_worker_whose_message_is_gone_uploads_nothing_and_costs_the_step_no_failure(
    fleet: Fleet, saboteur: Saboteur
) -> None:
    worker = fleet.worker(**saboteur.variables, VISIBILITY_TIMEOUT="2")
    executors = worker.executor_pids()
    saboteur.order("wait", "compress")
    run = fleet.start("--steps=2", "--stall-timeout=1", "--max-attempts=2")
    saboteur.until_obeyed()
    [first] = run.until("it is dispatched", lambda so_far: so_far.events("dispatching"))[:1]

    fleet.clients.sqs.purge_queue(QueueUrl=fleet.steps_queue_url)
    worker.until_logged("messages are no longer this worker's")
    saboteur.go()
    [dropped] = worker.until_logged("dropped a step whose message is no longer this worker's")

    assert (dropped["chain"], dropped["step"], dropped["attempt"]) == (1, 1, 1)
    outcome = run.outcome()
    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"], sample["late"]) for sample in outcome.samples] == [
        (1, 2, False),
        (2, 1, False),
    ]
    assert [(event["step"], event["attempt"]) for event in outcome.events("lost")] == [(1, 1)]
    assert outcome.failures == outcome.events("duplicate") == []
    assert len(outputs(fleet, first["output_prefix"])) == 1, "the second attempt's"
    assert worker.executor_pids() == executors, "the executor went on to the next step"


def test_once_a_results_queue_is_gone_the_steps_that_are_under_way_for_it_upload_nothing(
    fleet: Fleet, saboteur: Saboteur
) -> None:
    gone = fleet.new_queue("stepbench-results")
    fleet.clients.sqs.delete_queue(QueueUrl=gone)
    under_way, quick = (by_hand(fleet, gone, chain) for chain in (1, 2))
    worker = fleet.worker(**saboteur.variables, EXECUTORS="2")
    saboteur.order("wait", "compress")
    fleet.send(under_way)
    saboteur.until_obeyed()

    fleet.send(quick)
    worker.until_logged("results queue is gone")
    saboteur.go()
    [dropped] = worker.until_logged("dropped a step whose message is no longer this worker's")

    assert dropped["chain"] == 1
    assert len(outputs(fleet, quick.output.key_prefix)) == 1
    assert outputs(fleet, under_way.output.key_prefix) == []
    assert fleet.depth() == (0, 2), "both come again, and may find their results queue then"


def by_hand(fleet: Fleet, results_queue_url: str, chain: int) -> StepMessage:
    key_prefix = uri(fleet.bucket, f"{PREFIX}by-hand/{uuid4().hex}/chain{chain}-")
    return make_message(
        chain=chain,
        input=fleet.put_payload(),
        output=make_output_spec(key_prefix=key_prefix),
        results_queue_url=results_queue_url,
    )
