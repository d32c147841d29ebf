from __future__ import annotations

from stepbench.messages import StepMessage
from stepbench.queues import Outgoing
from stepbench.s3_uris import bucket_and_key
from tests.runs.fleet import Fleet
from tests.runs.sums import check_sums


def test_a_completion_that_comes_twice_is_counted_once(fleet: Fleet) -> None:
    run = fleet.start("--steps=2", "--json")
    taken = fleet.take()
    fleet.queue().delete([taken.receipt])
    message = StepMessage.model_validate_json(taken.body)
    by_way_of = fleet.new_queue("stepbench-results-by-way-of")
    fleet.send(message.model_copy(update={"results_queue_url": by_way_of}))
    fleet.worker()
    completion = fleet.take(by_way_of).body
    fleet.queue(message.results_queue_url).send([Outgoing(completion), Outgoing(completion)])

    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 1), (2, 1)]
    assert [(event["step"], event["attempt"]) for event in outcome.events("duplicate")] == [(1, 1)]
    assert outcome.summary["counts"]["duplicates"] == 1
    check_sums(outcome.lines)


def test_a_step_message_that_is_delivered_twice_is_counted_once_and_each_execution_writes_its_own_object(
    fleet: Fleet,
) -> None:
    run = fleet.start("--steps=2", "--json")
    taken = fleet.take()
    fleet.queue().delete([taken.receipt])
    fleet.send(taken.body)
    fleet.send(taken.body)
    fleet.worker()

    outcome = run.outcome()

    assert outcome.exit_code == 0, outcome.stderr
    assert [(sample["step"], sample["attempt"]) for sample in outcome.samples] == [(1, 1), (2, 1)]
    assert [(event["step"], event["attempt"]) for event in outcome.events("duplicate")] == [(1, 1)]
    bucket, prefix = bucket_and_key(outcome.events("dispatching")[0]["output_prefix"])
    assert bucket == fleet.bucket
    assert len(fleet.keys(prefix)) == 2
    check_sums(outcome.lines)
