from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.channels import Arrival
from orchestrator.run.chain import Record
from orchestrator.run.parts import sample_of
from stepbench.messages import Completion, parse
from stepbench.samples import PHASES, Sample
from tests.factories import make_done, make_executor_facts, make_worker_facts

DURATION_NS = st.integers(0, 10**13)


def make_record(completion: Completion, **changes: Any) -> Record:
    values: dict[str, Any] = {
        "warmup": False,
        "late": False,
        "dispatched_at_ns": 1_000,
        "dispatch_call_ns": 10,
        "completed_at_ns": 901_000,
        "total_ns": 900_000,
        "retry_ns": 5,
        "turnaround_ns": 6,
    }
    return Record(completion=completion, **values | changes)


def make_arrival(completion: Completion, **changes: Any) -> Arrival:
    values: dict[str, Any] = {
        "received_at_ns": 901_000,
        "results_wait_ns": 2_000_000,
        "results_receive_count": 1,
        "receipt": "r",
    }
    return Arrival(completion=completion, **values | changes)


def parts_ns(sample: Sample) -> int:
    assert sample.transit_ns is not None
    assert sample.redelivery_ns is not None
    assert sample.queue_wait_ns is not None
    assert sample.results_wait_ns is not None
    of_worker_ns = sample.worker_wait_ns + sum(sample.phases_ns.values()) + sample.other_ns
    of_queues_ns = sample.queue_wait_ns + sample.results_wait_ns
    return of_queues_ns + of_worker_ns + sample.transit_ns + sample.redelivery_ns


@given(
    total_ns=DURATION_NS,
    phases_ns=st.fixed_dictionaries(dict.fromkeys(PHASES, DURATION_NS)),
    other_ns=DURATION_NS,
    worker_wait_ns=DURATION_NS,
    queue_wait_ns=DURATION_NS,
    results_wait_ns=DURATION_NS,
    receive_count=st.integers(1, 3),
    results_receive_count=st.integers(1, 3),
)
def test_the_parts_are_the_total_exactly_and_the_remainder_is_transit_or_redelivery(
    total_ns: int,
    phases_ns: dict[Any, int],
    other_ns: int,
    worker_wait_ns: int,
    queue_wait_ns: int,
    results_wait_ns: int,
    receive_count: int,
    results_receive_count: int,
) -> None:
    completion = make_done(
        executor=make_executor_facts(phases_ns=phases_ns, other_ns=other_ns),
        worker=make_worker_facts(
            worker_wait_ns=worker_wait_ns, queue_wait_ns=queue_wait_ns, receive_count=receive_count
        ),
    )
    arrival = make_arrival(completion, results_wait_ns=results_wait_ns, results_receive_count=results_receive_count)
    sample = sample_of(make_record(completion, total_ns=total_ns), arrival, "r1")
    assert parts_ns(sample) == sample.total_ns == total_ns
    redelivered = receive_count > 1 or results_receive_count > 1
    assert (sample.transit_ns if redelivered else sample.redelivery_ns) == 0


def test_a_step_that_was_in_flight_while_the_orchestrator_was_down_keeps_the_workers_figures_and_has_no_others() -> (
    None
):
    completion = make_done()
    nothing = dict.fromkeys(["dispatched_at_ns", "dispatch_call_ns", "total_ns", "retry_ns", "turnaround_ns"])
    sample = sample_of(make_record(completion, **nothing), make_arrival(completion), "r1")
    assert sample.interrupted
    orchestrators = (sample.total_ns, sample.transit_ns, sample.redelivery_ns, sample.retry_ns, sample.turnaround_ns)
    assert orchestrators == (None,) * 5
    assert (sample.dispatched_at_ns, sample.dispatch_call_ns) == (None, None)
    assert completion.executor is not None
    assert sample.phases_ns == completion.executor.phases_ns
    assert sample.completed_at_ns == 901_000


def test_a_sample_is_all_that_the_three_of_them_saw() -> None:
    completion = make_done(chain=3, step=2, attempt=2, epoch=4)
    arrival = make_arrival(completion, results_receive_count=2)
    sample = sample_of(make_record(completion, late=True), arrival, "r1")
    assert (sample.kind, sample.run_id) == ("sample", "r1")
    assert (sample.chain, sample.step, sample.attempt, sample.epoch) == (3, 2, 2, 4)
    assert sample.late
    assert not sample.interrupted
    assert (sample.results_receive_count, sample.results_wait_ns) == (2, 2_000_000)
    stamps = (sample.dispatched_at_ns, sample.completed_at_ns, sample.dispatch_call_ns)
    assert stamps == (1_000, 901_000, 10)
    assert (sample.retry_ns, sample.turnaround_ns) == (5, 6)
    assert completion.worker is not None
    assert completion.executor is not None
    written = sample.model_dump()
    assert written.items() >= completion.worker.model_dump().items()
    assert written.items() >= completion.executor.model_dump().items()
    assert Sample.model_validate_json(sample.model_dump_json()) == sample


def test_a_warm_up_step_is_called_so() -> None:
    completion = make_done(chain=-1)
    assert sample_of(make_record(completion, warmup=True), make_arrival(completion), "r1").kind == "warmup"


def test_a_failure_makes_no_sample() -> None:
    completion = make_done().model_copy(update={"executor": None})
    with pytest.raises(ValueError, match="has no facts"):
        sample_of(make_record(completion), make_arrival(completion), "r1")


@pytest.mark.parametrize("sign", [1, -1])
def test_the_greatest_numbers_that_a_message_may_hold_still_make_a_sample(sign: int) -> None:
    most_ns = 2**59
    executor = make_executor_facts(phases_ns=dict.fromkeys(PHASES, max(0, sign * most_ns)), other_ns=sign * most_ns)
    worker = make_worker_facts(queue_wait_ns=sign * most_ns, worker_wait_ns=sign * most_ns)
    completion = parse(Completion, make_done(executor=executor, worker=worker).model_dump_json())
    sample = sample_of(make_record(completion), make_arrival(completion), "r1")
    assert parts_ns(sample) == sample.total_ns


@given(total_ns=DURATION_NS, worker_wait_ns=DURATION_NS, phases_ns=st.fixed_dictionaries({"upload": DURATION_NS}))
def test_what_a_channel_cannot_tell_is_null_and_adds_nothing(
    total_ns: int, worker_wait_ns: int, phases_ns: dict[Any, int]
) -> None:
    completion = make_done(
        executor=make_executor_facts(phases_ns=phases_ns, other_ns=7),
        worker=make_worker_facts(worker_wait_ns=worker_wait_ns, queue_wait_ns=None, receive_count=None),
    )
    arrival = make_arrival(completion, results_wait_ns=None, results_receive_count=None)
    sample = sample_of(make_record(completion, total_ns=total_ns), arrival, "r1")
    waits = (sample.queue_wait_ns, sample.results_wait_ns, sample.redelivery_ns)
    assert (*waits, sample.receive_count, sample.results_receive_count) == (None,) * 5
    assert sample.transit_ns is not None
    assert worker_wait_ns + sum(phases_ns.values()) + 7 + sample.transit_ns == total_ns
