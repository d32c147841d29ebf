from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.errors import MessageRefused
from stepbench.messages import Completion, StepError, StepMessage, answered, parse
from stepbench.probes import MOST_RUNS_NAMED, ProbeAnswer, WorkerState
from stepbench.samples import PHASES, S3Facts, S3Requests
from tests.factories import (
    CHECKSUM,
    make_done,
    make_executor_facts,
    make_failed,
    make_message,
    make_output_spec,
    make_ref,
    make_worker_facts,
)

SQS_LIMIT_BYTES = 262_144
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
LONGEST_URI = "s3://" + "b" * 63 + "/" + "k" * 1_024
HUGE = 2**59


def body(message: StepMessage | Completion, **changes: Any) -> str:
    return json.dumps(json.loads(message.model_dump_json()) | changes)


def test_a_step_message_comes_back_as_it_was_sent() -> None:
    message = make_message(transform_parameters={"cpu_ms": 0.1})
    text = message.model_dump_json()
    assert parse(StepMessage, text) == parse(StepMessage, text.encode()) == message


ANSWER = ProbeAnswer(
    version="v" * 200,
    python="p" * 200,
    platform="l" * 200,
    cores=HUGE,
    memory_bytes=HUGE,
    state=WorkerState(
        executors=HUGE, busy_executors=HUGE, held_steps=HUGE, runs=("r" * 64,) * MOST_RUNS_NAMED, up_seconds=1e9
    ),
)
PROBED = answered(make_message(step_kind="probe"), ANSWER)


@pytest.mark.parametrize(
    "completion", [make_done(), make_failed(), make_failed(phase=None), make_done(worker=None), PROBED]
)
def test_a_completion_comes_back_as_it_was_sent(completion: Completion) -> None:
    text = completion.model_dump_json()
    assert parse(Completion, text) == parse(Completion, text.encode()) == completion


@given(
    error=st.builds(
        StepError,
        error_class=st.text(),
        message=st.text(max_size=2_000),
        retryable=st.booleans(),
        phase=st.sampled_from([None, *PHASES]),
    )
)
def test_an_error_of_any_words_comes_back_as_it_was_sent(error: StepError) -> None:
    completion = make_failed(error=error)
    assert parse(Completion, completion.model_dump_json()).error == error


def test_fields_of_a_newer_writer_are_ignored() -> None:
    message, completion = make_message(), make_done()
    assert parse(StepMessage, body(message, added_later={"a": [1]})) == message
    assert parse(Completion, body(completion, added_later={"a": [1]})) == completion


def test_the_answer_to_a_probe_is_a_failure_to_a_reader_of_version_1_that_knows_no_answers() -> None:
    fields = json.loads(PROBED.model_dump_json())
    del fields["answer"]

    older = parse(Completion, json.dumps(fields))

    assert (PROBED.v, older.ok) == (1, False)
    assert older.error is not None
    assert not older.error.retryable


def test_the_answer_to_a_probe_stays_far_below_the_limit_of_sqs() -> None:
    assert len(PROBED.model_dump_json().encode()) < SQS_LIMIT_BYTES / 32


def test_fields_that_a_newer_writer_adds_within_are_ignored_too() -> None:
    message = make_message()
    deeper = json.loads(message.model_dump_json())
    deeper["input"]["added_later"] = True

    assert parse(StepMessage, json.dumps(deeper)) == message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"v": 2}, "v"),
        ({"v": "1"}, "v"),
        ({"run": ""}, "run"),
        ({"run": "a/b"}, "run"),
        ({"run": "r" * 65}, "run"),
        ({"chain": "1"}, "chain"),
        ({"chain": None}, "chain"),
        ({"step": 0}, "step"),
        ({"step": 1.5}, "step"),
        ({"attempt": 0}, "attempt"),
        ({"epoch": -1}, "epoch"),
        ({"materialize": "both"}, "materialize"),
        ({"s3_client": "c" * 70_000}, "s3_client"),
        ({"results_queue_url": "https://" + "q" * 70_000}, "results_queue_url"),
        ({"transform_parameters": {"cpu_ms": "many"}}, "transform_parameters.cpu_ms"),
        ({"step_timeout_seconds": 0}, "step_timeout_seconds"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"input": None}, "input"),
        ({"input": json.loads(make_ref().model_dump_json()) | {"uri": "/etc/passwd"}}, "input.uri"),
        ({"input": json.loads(make_ref().model_dump_json()) | {"object_bytes": -1}}, "input.object_bytes"),
        ({"input": json.loads(make_ref().model_dump_json()) | {"checksum": "md5:0"}}, "input.checksum"),
        ({"output": json.loads(make_output_spec().model_dump_json()) | {"sse": "rot13"}}, "output.sse"),
    ],
)
def test_a_step_message_with_a_wrong_field_is_refused_by_that_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageRefused, match=rf"^StepMessage refused: {field}: "):
        parse(StepMessage, body(make_message(), **changes))


@pytest.mark.parametrize("field", [name for name in StepMessage.model_fields if name != "v"])
def test_a_step_message_without_a_field_is_refused_by_that_field(field: str) -> None:
    fields = json.loads(make_message().model_dump_json())
    del fields[field]

    with pytest.raises(MessageRefused, match=rf"^StepMessage refused: {field}: "):
        parse(StepMessage, json.dumps(fields))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"v": 2}, "v"), ({"attempt": "1"}, "attempt"), ({"error": {}}, "error.error_class"), ({"executor": {}}, "exec")],
)
def test_a_completion_with_a_wrong_field_is_refused_by_that_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageRefused, match=rf"^Completion refused: {field}"):
        parse(Completion, body(make_done(), **changes))


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '"text"', "not a step message", "\x00", b"\xff\xfe", "9" * 5_000]
)
def test_a_body_that_is_no_message_at_all_is_refused(text: str | bytes) -> None:
    with pytest.raises(MessageRefused, match=r"^StepMessage refused: body: "):
        parse(StepMessage, text)


def test_a_refusal_does_not_repeat_the_body() -> None:
    with pytest.raises(MessageRefused) as refusal:
        parse(StepMessage, body(make_message(), chain="secret" * 10_000))
    assert len(str(refusal.value)) < 200


def test_messages_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make_message().step = 2  # type: ignore[misc] # that is the point


def test_a_step_message_stays_small_even_with_the_longest_of_everything() -> None:
    message = make_message(
        run="r" * 64,
        chain=10**6,
        step=10**5,
        input=make_ref(uri=LONGEST_URI, object_bytes=HUGE, serialized_bytes=HUGE),
        output=make_output_spec(key_prefix=LONGEST_URI, sse="kms", kms_key_id="arn:aws:kms:" + "k" * 2_000),
        transform_parameters={"cpu_ms": 123456.789, "io_mb": 123456.789},
        results_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/" + "q" * 80,
    )
    assert len(message.model_dump_json().encode()) < 8 * 1_024


def test_a_completion_stays_far_below_the_limit_of_sqs_whatever_the_payload() -> None:
    requests = S3Requests(
        requests=10_000,
        statuses={str(status): 10_000 for status in range(400, 420)},
        retries=10_000,
        connections_opened=10_000,
        request_ids=tuple(f"{number:076d}" for number in range(100)),
    )
    longest = dict.fromkeys(PHASES, HUGE)
    completion = make_done(
        output=make_ref(uri=LONGEST_URI),
        executor=make_executor_facts(
            input_uri=LONGEST_URI,
            output_uri=LONGEST_URI,
            checksum_in=CHECKSUM,
            phases_ns=longest,
            cpu_ns=longest,
            s3=S3Facts(get=requests, put=requests),
        ),
        worker=make_worker_facts(worker="w" * 255, host="h" * 255),
    )
    assert len(completion.model_dump_json().encode()) < SQS_LIMIT_BYTES / 8


def test_a_completion_of_the_longest_error_stays_far_below_the_limit_of_sqs() -> None:
    error = StepError(error_class="E" * 200, message="\x00" * 2_000, retryable=True, phase="download")
    assert len(make_failed(error=error).model_dump_json().encode()) < SQS_LIMIT_BYTES / 8


NOT_FINITE = ["1e400", "NaN", "-Infinity", "9" * 400]


@pytest.mark.parametrize(
    ("field", "number"),
    [
        (field, str(number))
        for field in ("queue_wait_ns", "begun_at_ns", "bytes_out", "chain")
        for number in (2**63, -(2**63))
    ]
    + [(field, number) for field in ("queue_wait_ns", "bytes_out", "chain", "expires_at") for number in NOT_FINITE],
)
def test_a_completion_with_a_number_that_no_sum_can_be_made_of_is_refused(field: str, number: str) -> None:
    body = re.sub(rf'"{field}":[-\d.]+', f'"{field}":{number}', make_done().model_dump_json())
    assert number in body

    with pytest.raises(MessageRefused):
        parse(Completion, body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400"])
def test_a_step_message_with_a_parameter_that_json_cannot_hold_is_refused(number: str) -> None:
    body = make_message(transform_parameters={"transform_cpu_ms": 1.5}).model_dump_json()
    body = body.replace('"transform_cpu_ms":1.5', f'"transform_cpu_ms":{number}')

    with pytest.raises(MessageRefused, match="transform_cpu_ms"):
        parse(StepMessage, body)
