from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from orchestrator.trace import otlp, perfetto
from orchestrator.trace.spans import trace_of
from tests.orchestrator.report.sample_factory import MadeRun, make_run, make_run_line, without_queues
from tests.orchestrator.trace import runs
from tests.orchestrator.trace.otlp_messages import request_in
from tests.orchestrator.trace.trace_event_format import Event, faults


def only_the_run_line() -> MadeRun:
    made = make_run(finished=False)
    del made.lines[1:]
    return made


STATES: dict[str, Callable[[], MadeRun]] = {
    "nothing but its first line": only_the_run_line,
    "one step": runs.one_step,
    "negative transit": lambda: runs.one_step(
        transit_ns=-2_000_000, total_ns=808_000_000, completed_at_ns=1_808_000_000
    ),
    "retried": runs.retried,
    "failed": runs.failed,
    "resumed": lambda: runs.resumed(1),
    "resumed before the steps had ended, as it seems": lambda: runs.resumed(1, at_seconds=1),
    "warm-up": lambda: make_run(3, warmup_steps=1),
    "without queues": lambda: without_queues(make_run(5)),
    "on AWS": lambda: make_run(4, environment="aws"),
}


def perfetto_of(made: MadeRun, folder: Path) -> list[Event]:
    text = "".join(perfetto.pieces(trace_of(runs.read_made(made, folder))))
    parsed = json.loads(text)
    assert faults(parsed) == []
    events: list[Event] = parsed["traceEvents"]
    return events


def otlp_of(made: MadeRun, folder: Path) -> list[OtlpSpan]:
    request = request_in("".join(otlp.pieces(trace_of(runs.read_made(made, folder)))))
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    check(spans)
    return spans


def check(spans: list[OtlpSpan]) -> None:
    """What the messages' types do not say: ids, one root, parents and links that are there, order in time."""
    ids = {span.span_id for span in spans}
    assert len(ids) == len(spans)
    assert len({span.trace_id for span in spans}) == 1
    assert [span.name for span in spans if not span.parent_span_id] == ["run"]
    for span in spans:
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        assert not span.parent_span_id or span.parent_span_id in ids
        assert all(link.span_id in ids for link in span.links)
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        assert len({attribute.key for attribute in span.attributes}) == len(span.attributes)


def told(span: OtlpSpan) -> dict[str, str | int | bool | float]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in span.attributes}


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_run_is_a_sound_file_in_both_formats(state: str, tmp_path: Path) -> None:
    made = STATES[state]()
    assert perfetto_of(made, tmp_path)
    assert otlp_of(made, tmp_path)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), chains=st.integers(1, 4))
def test_any_run_is_a_sound_file_in_both_formats(
    seed: int, chains: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    made = make_run(seed, chains=chains)
    perfetto_of(made, folder)
    otlp_of(made, folder)


def test_chains_and_executors_have_tracks_and_a_step_is_on_both(tmp_path: Path) -> None:
    events = perfetto_of(runs.one_step(), tmp_path)
    names = {
        (event["name"], event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event["name"] in ("process_name", "thread_name")
    }
    assert [name for (what, _, _), name in names.items() if what == "process_name"] == [
        "orchestrator",
        "chains",
        "worker w1",
    ]
    drawn = {
        (names["thread_name", event["pid"], event["tid"]], event["name"]) for event in events if event["ph"] == "X"
    }
    assert {("chain 1", "step 1"), ("chain 1", "execution"), ("e1", "chain 1 step 1"), ("e1", "upload")} <= drawn
    assert ("e1", "queue wait") not in drawn


def test_an_arrow_leads_from_the_dispatch_to_the_executor_and_back(tmp_path: Path) -> None:
    events = perfetto_of(runs.one_step(), tmp_path)
    arrows = [event for event in events if event["ph"] in ("s", "t", "f")]
    begin_us = next(event["ts"] for event in events if event["name"] == "step 1")
    assert [(event["ph"], round(event["ts"] - begin_us)) for event in arrows] == [
        ("s", 0),
        ("t", 2_500 + 3_000 + 2_000),
        ("f", 7_500 + 801_000),
    ]


def test_failures_lost_steps_and_duplicates_are_marks(tmp_path: Path) -> None:
    events = perfetto_of(runs.failed(), tmp_path)
    marks = [event["name"] for event in events if event["ph"] == "i"]
    assert sorted(marks) == ["dispatch", "dispatch", "dispatch", "duplicate", "failure", "lost"]


def test_the_checker_finds_slices_that_overlap_in_part() -> None:
    track = {"pid": 1, "tid": 1}
    names = [{"ph": "M", "name": name, **track, "args": {"name": "x"}} for name in ("process_name", "thread_name")]
    slices = [{"ph": "X", "name": name, **track, "ts": begin, "dur": 2} for begin, name in enumerate("ab")]
    assert faults({"traceEvents": names + slices}) == ["track (1, 1): b ends 1000 ns behind a, in which it begins"]


def test_spans_have_the_names_and_attributes_of_the_conventions(tmp_path: Path) -> None:
    spans = {span.name: span for span in otlp_of(runs.one_step(), tmp_path)}
    sent, processed = spans["send steps"], spans["process steps"]
    assert (sent.kind, processed.kind) == (OtlpSpan.SPAN_KIND_PRODUCER, OtlpSpan.SPAN_KIND_CONSUMER)
    assert [link.span_id for link in processed.links] == [sent.span_id]
    assert told(processed)["messaging.system"] == "aws_sqs"
    assert told(processed)["messaging.operation.type"] == "process"
    assert told(processed)["aws.sqs.queue.url"] == "http://localhost/1/steps"
    upload = spans["upload"]
    assert upload.kind == OtlpSpan.SPAN_KIND_CLIENT
    assert upload.parent_span_id == processed.span_id
    assert told(upload)["rpc.method"] == "PutObject"
    assert told(upload)["aws.s3.bucket"] == "bucket"
    assert told(upload)["aws.s3.key"] == "out"
    assert told(upload)["stepbench.s3.requests"] == 7


def test_what_failed_has_an_error_and_an_exception(tmp_path: Path) -> None:
    spans = otlp_of(runs.failed(), tmp_path)
    wrong = [span for span in spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert sorted(span.name for span in wrong) == ["attempt", "attempt", "chain", "step"]
    for span in wrong:
        assert span.status.message
        assert told(span)["error.type"] in ("ChecksumMismatch", "StepLost")
        assert span.events[-1].name == "exception"
        assert {one.key for one in span.events[-1].attributes} == {"exception.type", "exception.message"}


def test_the_same_file_gives_the_same_ids(tmp_path: Path) -> None:
    first, second = (otlp_of(make_run(1), tmp_path) for _ in range(2))
    assert [span.span_id for span in first] == [span.span_id for span in second]


@pytest.mark.parametrize(
    ("function", "service"), [(None, "stepbench-executors"), ("arn:aws:lambda:::function:f", "stepbench-function")]
)
def test_a_resource_is_called_by_who_does_the_steps(function: str | None, service: str, tmp_path: Path) -> None:
    made = without_queues(make_run(1))
    made.plan = made.plan.model_copy(update={"lambda_function": function})
    made.lines[0] = make_run_line(made.plan)
    request = request_in("".join(otlp.pieces(trace_of(runs.read_made(made, tmp_path)))))
    told = [{one.key: one.value.string_value for one in each.resource.attributes} for each in request.resource_spans]
    assert [(one["service.name"], one.get("cloud.resource_id")) for one in told[1:]] == [(service, function)]


def test_each_worker_is_a_resource_of_its_own(tmp_path: Path) -> None:
    made = make_run(1)
    made.replace(made.samples[0], made.samples[0].model_copy(update={"worker": "w2", "host": "h2"}))
    request = request_in("".join(otlp.pieces(trace_of(runs.read_made(made, tmp_path)))))
    services = [
        {one.key: one.value.string_value for one in resource.resource.attributes} for resource in request.resource_spans
    ]
    assert [(one["service.name"], one["service.instance.id"]) for one in services] == [
        ("stepbench-orchestrator", "r1"),
        ("stepbench-worker", "w2"),
        ("stepbench-worker", "w1"),
    ]
