from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from structlog.testing import capture_logs

from stepbench.errors import ExecutorDied, MessageRefused, StepTimeout
from stepbench.guard import Guard
from stepbench.messages import Completion, StepMessage, parse
from stepbench.queue_urls import folder_of
from stepbench.sqs_calls import SqsCalls
from tests.doubles import outage, queue_gone, refused
from tests.factories import BUCKET, PREFIX, RESULTS_QUEUE, STEPS_QUEUE, make_message, make_output_spec
from tests.worker.stage import Stage
from worker.function import ANSWERING_SECONDS, Ends, FunctionWorker

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:steps"
LONG_MS = 900_000


class Invoked:
    """With so much time left, until some passes."""

    invoked_function_arn = ARN

    def __init__(self, left_ms: int = LONG_MS) -> None:
        self._left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._left_ms

    def passes(self, milliseconds: int) -> None:
        self._left_ms -= milliseconds


@pytest.fixture
def function(stage: Stage) -> Iterator[FunctionWorker]:
    made = make_function(stage)
    yield made
    made.close()


def make_function(stage: Stage, most_steps: int = 0, fixed_queue: str | None = None) -> FunctionWorker:
    guard = Guard(BUCKET, PREFIX, folder_of(STEPS_QUEUE), "stepbench-results-", fixed_queue)
    ends = Ends(
        guard=cache(lambda arn: guard),
        results_queue=lambda url: stage.results,
        discard_output=stage.discarded.append,
        sqs_calls=SqsCalls(),
    )
    return FunctionWorker("w1", "host1", stage, most_steps, ends)


def event(**changes: Any) -> Any:
    return json.loads(make_message(**{"results_queue_url": RESULTS_QUEUE, **changes}).model_dump_json())


def answers(stage: Stage) -> list[Completion]:
    return [parse(Completion, body) for body in stage.results.bodies()]


def test_a_step_is_answered_without_the_stamps_of_a_queue(stage: Stage, function: FunctionWorker) -> None:
    function.handle(event(chain=3), Invoked())

    (answer,) = answers(stage)
    assert (answer.ok, answer.chain) == (True, 3)
    assert answer.worker is not None
    assert (answer.worker.worker, answer.worker.queue_wait_ns, answer.worker.receive_count) == ("w1", None, None)


@pytest.mark.parametrize("fault", [outage(), refused("InternalError", status=500), refused("ThrottlingException")])
def test_a_completion_that_is_not_taken_is_sent_again(stage: Stage, function: FunctionWorker, fault: Exception) -> None:
    stage.results.faults["send"] += [fault, fault]

    function.handle(event(), Invoked())

    assert [answer.ok for answer in answers(stage)] == [True]


def test_a_completion_that_is_not_taken_in_the_functions_time_fails_the_invocation(
    stage: Stage, function: FunctionWorker
) -> None:
    stage.results.faults["send"] += [outage()] * 3

    with pytest.raises(type(outage())):
        function.handle(event(), Invoked(left_ms=1_000))


def test_a_refused_completion_fails_the_invocation_at_once(stage: Stage, function: FunctionWorker) -> None:
    stage.results.faults["send"].append(refused("AccessDenied", status=403))

    with pytest.raises(type(refused("AccessDenied"))):
        function.handle(event(), Invoked())


def test_of_a_run_whose_own_results_queue_is_gone_the_output_is_removed_and_nothing_becomes_a_dead_letter(
    stage: Stage, function: FunctionWorker
) -> None:
    stage.results.faults["send"].append(queue_gone())

    function.handle(event(), Invoked())

    assert len(stage.discarded) == 1


def test_a_fixed_results_queue_that_is_gone_fails_the_invocation_and_leaves_the_output(stage: Stage) -> None:
    function = make_function(stage, fixed_queue=RESULTS_QUEUE)
    stage.results.faults["send"].append(queue_gone())

    with pytest.raises(type(queue_gone())):
        function.handle(event(), Invoked())

    assert stage.discarded == []


@pytest.mark.parametrize(
    ("left_ms", "step_timeout_seconds", "bound_seconds"),
    [(LONG_MS, 60.0, 60.0), (LONG_MS, 900.0, 900.0 - ANSWERING_SECONDS), (3_000, 60.0, 0.1)],
)
def test_a_step_is_bounded_by_its_own_timeout_and_by_what_the_functions_leaves(
    stage: Stage, function: FunctionWorker, left_ms: int, step_timeout_seconds: float, bound_seconds: float
) -> None:
    bounds: list[float] = []
    stage.play = lambda message: bounds.append(message.step_timeout_seconds)

    function.handle(event(step_timeout_seconds=step_timeout_seconds), Invoked(left_ms))

    assert bounds == pytest.approx([bound_seconds])


def test_a_timeout_names_what_ended_the_step(stage: Stage, function: FunctionWorker) -> None:
    def late(message: StepMessage) -> None:
        raise StepTimeout(f"the step ran longer than STEP_TIMEOUT={message.step_timeout_seconds:g} s", phase="upload")

    stage.play = late
    function.handle(event(step_timeout_seconds=30.0), Invoked())
    function.handle(event(step_timeout_seconds=900.0), Invoked())

    own, functions = [answer.error for answer in answers(stage)]
    assert own is not None
    assert own.message == "the step ran longer than STEP_TIMEOUT=30 s"
    assert functions is not None
    assert functions.message.startswith("the step ran longer than the 895.0 s that the function's timeout leaves it")
    assert functions.phase == "upload"


def test_an_executor_that_died_in_a_step_is_replaced_for_the_next(stage: Stage, function: FunctionWorker) -> None:
    def dies(_: StepMessage) -> None:  # and its process is not known to have ended when the next step comes
        stage.play = lambda _: None
        raise ExecutorDied("executor e1 was killed", phase="serialize")

    stage.play = dies
    function.handle(event(chain=1), Invoked())
    function.handle(event(chain=2), Invoked())

    assert stage.begun == [("e1", 1), ("e2", 2)]
    assert [answer.ok for answer in answers(stage)] == [False, True]


def test_an_executor_that_died_while_frozen_costs_no_step(stage: Stage, function: FunctionWorker) -> None:
    stage.dead.add("e1")

    function.handle(event(), Invoked())

    assert [answer.ok for answer in answers(stage)] == [True]


def test_the_start_of_another_executor_is_no_time_of_the_step(stage: Stage, function: FunctionWorker) -> None:
    invoked = Invoked(30_000)
    bounds: list[float] = []
    stage.dead.add("e1")
    stage.on_start = lambda _: invoked.passes(7_000)
    stage.play = lambda message: bounds.append(message.step_timeout_seconds)

    function.handle(event(step_timeout_seconds=900.0), invoked)

    assert bounds == pytest.approx([30.0 - 7.0 - ANSWERING_SECONDS])


def test_an_executor_is_replaced_when_it_did_its_share(stage: Stage) -> None:
    function = make_function(stage, most_steps=2)

    for chain in (1, 2, 3):
        function.handle(event(chain=chain), Invoked())

    assert stage.begun == [("e1", 1), ("e1", 2), ("e2", 3)]


@pytest.mark.parametrize("body", [{}, [], "step", {"v": 1}])
def test_what_is_no_step_message_is_raised(stage: Stage, function: FunctionWorker, body: object) -> None:
    with pytest.raises(MessageRefused):
        function.handle(body, Invoked())

    assert stage.results.bodies() == []


def test_a_step_outside_its_prefix_is_answered_with_the_reason_and_not_run(
    stage: Stage, function: FunctionWorker
) -> None:
    function.handle(event(output=make_output_spec(key_prefix=f"s3://{BUCKET}/elsewhere/x").model_dump()), Invoked())

    (answer,) = answers(stage)
    assert answer.error is not None
    assert "is not below" in answer.error.message
    assert stage.begun == []


def test_an_expired_step_is_not_run(stage: Stage, function: FunctionWorker) -> None:
    with capture_logs() as logs:
        function.handle(event(expires_at=1.0), Invoked())

    assert (stage.begun, stage.results.bodies()) == ([], [])
    assert [line["event"] for line in logs] == ["step expired"]
