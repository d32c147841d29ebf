from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from orchestrator.local.stack import Stack
from stepbench.aws import Clients
from stepbench.messages import Completion, PayloadRef, StepMessage
from stepbench.s3_uris import bucket_and_key, uri
from tests.factories import make_message, make_output_spec
from tests.runs.fleet import PREFIX, Fleet
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually


@pytest.fixture
def fleet(stack: Stack, clients: Clients, tmp_path: Path) -> Iterator[Fleet]:
    """Buries what was received twice, so that a test need not wait for five receives."""
    made = Fleet(stack, clients, tmp_path, max_receive_count=2)
    yield made
    made.close()


def by_hand(fleet: Fleet, results_queue_url: str, **changes: Any) -> StepMessage:
    """A step message that a worker of `fleet` runs, unless `changes` keep it from that."""
    output = make_output_spec(key_prefix=uri(fleet.bucket, f"{PREFIX}by-hand/{results_queue_url[-8:]}-"))
    values = {"input": fleet.put_payload(), "output": output, "results_queue_url": results_queue_url}
    return make_message(**values | changes)


def test_what_a_worker_refuses_is_dead_lettered_and_the_worker_goes_on(fleet: Fleet) -> None:
    results = fleet.new_queue("stepbench-results")
    sound = by_hand(fleet, results)
    as_json = json.loads(sound.model_dump_json())
    elsewhere = results.replace("/123456789012/", "/999999999999/")
    refused = [
        "no JSON",
        json.dumps(as_json | {"v": 2}),
        json.dumps({name: value for name, value in as_json.items() if name != "input"}),
        json.dumps(as_json | {"results_queue_url": fleet.new_queue("not-a-results-queue")}),
        json.dumps(as_json | {"results_queue_url": elsewhere}),
        json.dumps(as_json | {"results_queue_url": "http://[not-an-address/"}),
        json.dumps(as_json | {"results_queue_url": ""}),
    ]
    assert elsewhere != results
    worker = fleet.worker(VISIBILITY_TIMEOUT="2")
    for body in refused:
        fleet.send(body)

    fleet.until_depth((len(refused), 0), fleet.dead_letters_url)

    assert sorted(fleet.take(fleet.dead_letters_url).body for _ in refused) == sorted(refused)
    fleet.send(sound)
    assert Completion.model_validate_json(fleet.take(results).body).ok
    assert worker.process.poll() is None
    fleet.until_depth((0, 0))


@pytest.mark.parametrize("reaches", ["reads outside its prefix", "reads another bucket", "writes outside its prefix"])
def test_a_step_that_reaches_outside_is_answered_as_refused_and_not_run(reaches: str, shared_fleet: Fleet) -> None:
    results = shared_fleet.new_queue("stepbench-results")
    sound = by_hand(shared_fleet, results)
    outside = uri(shared_fleet.bucket, "elsewhere/x")
    changes: dict[str, dict[str, Any]] = {
        "reads outside its prefix": {"input": moved(sound.input, outside)},
        "reads another bucket": {"input": moved(sound.input, sound.input.uri.replace("s3://", "s3://not-"))},
        "writes outside its prefix": {"output": sound.output.model_copy(update={"key_prefix": outside})},
    }

    shared_fleet.send(sound.model_copy(update=changes[reaches]))

    completion = Completion.model_validate_json(shared_fleet.take(results).body)
    assert completion.error is not None
    assert completion.error.error_class == "MessageRefused"
    assert not completion.error.retryable
    assert "ORCH_PREFIX" in completion.error.message
    shared_fleet.until_depth((0, 0))
    assert shared_fleet.keys("elsewhere/") == []


def test_a_step_that_has_expired_is_deleted_unrun(fleet: Fleet) -> None:
    results = fleet.new_queue("stepbench-results")
    expired = by_hand(fleet, results, expires_at=time() - 1)
    worker = fleet.worker()

    fleet.send(expired)
    worker.until_logged("step expired")

    fleet.until_depth((0, 0))
    assert fleet.depth(fleet.dead_letters_url) == (0, 0)
    assert fleet.depth(results) == (0, 0)
    assert outputs(fleet, expired) == []


@pytest.mark.parametrize("expires", [True, False])
def test_the_output_of_a_step_that_nobody_waits_for_is_deleted_once_it_has_expired(
    expires: bool, fleet: Fleet, saboteur: Saboteur
) -> None:
    gone = fleet.new_queue("stepbench-results")
    fleet.clients.sqs.delete_queue(QueueUrl=gone)
    saboteur.order("wait", "transform")
    worker = fleet.worker(**saboteur.variables)
    worker.until_logged("worker ready")
    expires_at = time() + (6 if expires else 3600)  # time enough to begin with it
    message = by_hand(fleet, gone, expires_at=expires_at)
    fleet.send(message)
    saboteur.until_obeyed()
    eventually("it has expired", lambda: not expires or time() > expires_at)
    saboteur.go()

    [told] = worker.until_logged("results queue is gone")

    assert told["expired"] is expires
    if expires:
        fleet.until_depth((0, 0))
        eventually("the output is gone", lambda: not outputs(fleet, message))
    else:
        assert fleet.depth() == (0, 1)
        assert len(outputs(fleet, message)) == 1
    assert worker.process.poll() is None


def moved(payload: PayloadRef, where: str) -> PayloadRef:
    return payload.model_copy(update={"uri": where})


def outputs(fleet: Fleet, message: StepMessage) -> list[str]:
    """The objects that executions of the step have written."""
    return fleet.keys(bucket_and_key(message.output.key_prefix)[1])
