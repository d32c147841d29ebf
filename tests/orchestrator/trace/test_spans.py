from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.report.metrics_file import MetricsFile, read
from orchestrator.trace.model import ORCHESTRATOR, Span, Trace
from orchestrator.trace.model import Path as SpanPath
from orchestrator.trace.spans import trace_of
from tests.orchestrator.report.sample_factory import MS, MadeRun, make_run, without_queues
from tests.orchestrator.trace import runs


def trace_of_made(made: MadeRun, folder: Path) -> Trace:
    return trace_of(runs.read_made(made, folder))


def spans_of(trace: Trace) -> dict[SpanPath, Span]:
    found = {span.path: span for span in trace.spans}
    assert len(found) == len(trace.spans)
    return found


def lengths(trace: Trace, *above: str) -> dict[str, float]:
    """Milliseconds of what is directly below."""
    path = ("run", *above)
    return {span.name: (span.end_ns - span.begin_ns) / MS for span in trace.spans if span.path[:-1] == path}


def test_a_step_is_told_from_its_dispatch_to_its_completion_in_all_its_parts(tmp_path: Path) -> None:
    trace = trace_of_made(runs.one_step(), tmp_path)
    assert lengths(trace, "chain 1", "step 1") == {
        "send": 2.0,
        "transit to the worker": 2.5,
        "queue wait": 3.0,
        "worker wait": 2.0,
        "chain 1 step 1": 801.0,
        "results wait": 4.0,
        "transit back": 2.5,
    }
    phases = lengths(trace, "chain 1", "step 1", "execution")
    assert phases.pop("other") == 1.0
    assert len(phases) == 8
    assert set(phases.values()) == {100.0}


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_durations_of_phases_are_exact_and_what_is_inside_stays_inside(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = make_run(seed)
    trace = trace_of_made(made, tmp_path_factory.mktemp("run"))
    spans = spans_of(trace)
    for path, span in spans.items():
        assert 0 <= span.begin_ns <= span.end_ns
        if len(path) > 1 and span.kind != "send":
            assert spans[path[:-1]].begin_ns <= span.begin_ns
            assert span.end_ns <= spans[path[:-1]].end_ns
    for sample in made.samples:
        below = ("run", f"chain {sample.chain}", f"step {sample.step}", "execution")
        for name, duration_ns in sample.phases_ns.items():
            drawn = spans[*below, name]
            assert drawn.end_ns - drawn.begin_ns == duration_ns


def test_a_step_begins_at_the_time_of_day_at_which_it_was_announced(tmp_path: Path) -> None:
    made = runs.one_step()
    made.lines[2] = runs.event("dispatching", runs.at(3), chain=1, step=1, attempt=1, epoch=1)
    assert spans_of(trace_of_made(made, tmp_path))["run", "chain 1", "step 1"].begin_ns == 3_000 * MS


def test_waits_that_are_longer_than_the_step_are_cut_and_tell_how_long_they_were(tmp_path: Path) -> None:
    trace = trace_of_made(runs.one_step(transit_ns=-2 * MS, total_ns=808 * MS, completed_at_ns=1_808 * MS), tmp_path)
    cut = [span for span in trace.spans if "stepbench.measured_ns" in span.attributes]
    assert [(span.name, span.end_ns - span.begin_ns) for span in cut] == [
        ("queue wait", 2 * MS),
        ("results wait", 3 * MS),
    ]
    assert [span.attributes["stepbench.measured_ns"] for span in cut] == [3 * MS, 4 * MS]


def test_a_redelivery_stands_behind_the_wait_of_the_message_that_came_again(tmp_path: Path) -> None:
    changes = {"redelivery_ns": 5 * MS, "transit_ns": 0}
    first = trace_of_made(runs.one_step(**changes, receive_count=2), tmp_path)
    names = list(lengths(first, "chain 1", "step 1"))
    assert names[1:4] == ["queue wait", "redelivery", "worker wait"]
    second = trace_of_made(runs.one_step(**changes, results_receive_count=2), tmp_path)
    assert list(lengths(second, "chain 1", "step 1"))[-2:] == ["results wait", "redelivery of the completion"]


def test_an_attempt_that_failed_stands_before_the_one_that_was_accepted(tmp_path: Path) -> None:
    trace = trace_of_made(runs.retried(), tmp_path)
    spans = spans_of(trace)
    step = spans["run", "chain 1", "step 1"]
    attempt = spans["run", "chain 1", "step 1", "attempt 1"]
    assert step.end_ns - step.begin_ns == 1_115 * MS
    assert attempt.problem is not None
    assert attempt.problem.error_class == "ChecksumMismatch"
    assert attempt.end_ns - attempt.begin_ns == 200 * MS
    assert [mark.name for mark in trace.marks] == ["dispatch", "failure", "dispatch"]


def test_a_chain_that_failed_says_why_and_one_that_goes_on_is_unfinished(tmp_path: Path) -> None:
    trace = trace_of_made(runs.failed(), tmp_path)
    spans = spans_of(trace)
    first, second = spans["run", "chain 1"], spans["run", "chain 2"]
    assert first.problem is not None
    assert first.problem.error_class == "StepLost"
    assert not first.unfinished
    assert second.problem is None
    assert second.unfinished
    below = [span for path, span in spans.items() if path[:-1] == ("run", "chain 1", "step 1")]
    assert [(span.name, (span.end_ns - span.begin_ns) / MS) for span in below] == [
        ("attempt 1", 1_000.0),
        ("attempt 2", 2_000.0),
    ]
    assert sorted(mark.name for mark in trace.marks) == sorted(["dispatch"] * 3 + ["failure", "lost", "duplicate"])


@pytest.mark.parametrize("seed", range(5))
def test_a_resumed_run_goes_on_where_it_was_resumed_whatever_its_new_clock_says(seed: int, tmp_path: Path) -> None:
    trace = trace_of_made(runs.resumed(seed), tmp_path)
    spans = spans_of(trace)
    for chain in ("chain 1", "chain 2"):
        begins = [spans["run", chain, f"step {step}"].begin_ns for step in (1, 2, 3)]
        assert begins == sorted(begins)
        assert spans["run", chain, "step 3"].begin_ns >= 30_000 * MS
        interrupted = spans["run", chain, "step 2"]
        assert interrupted.attributes["stepbench.interrupted"]
        assert "stepbench.total_ns" not in interrupted.attributes
        dispatched_ns = [m.at_ns for m in trace.marks if m.path == interrupted.path and m.name == "dispatch"]
        assert 0 <= max(dispatched_ns) < 20_000 * MS  # where its line says, and not behind the interruption


def test_a_file_with_nothing_but_its_first_line_is_a_run_without_length(tmp_path: Path) -> None:
    made = make_run(finished=False)
    del made.lines[1:]
    (span,) = trace_of_made(made, tmp_path).spans
    assert (span.track, span.begin_ns, span.end_ns, span.unfinished) == (ORCHESTRATOR, 0, 0, True)


def test_warm_up_chains_have_tracks_of_their_own_before_the_others(tmp_path: Path) -> None:
    made = make_run(1, warmup_steps=1)
    warmup = made.samples[0].model_copy(update={"kind": "warmup", "chain": -1})
    made.lines.insert(2, warmup)
    chains = [span.name for span in trace_of_made(made, tmp_path).spans if span.kind == "chain"]
    assert chains == ["warm-up chain 1", "chain 1", "chain 2"]


@pytest.mark.parametrize("text", ["yesterday", "", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_of_day_that_no_clock_has_shown_places_nothing(text: str, tmp_path: Path) -> None:
    made = make_run(1)
    made.lines = [line.model_copy(update={"at": text}) if hasattr(line, "at") else line for line in made.lines]
    made.lines[0] = made.lines[0].model_copy(update={"started_at": text})
    assert lengths(trace_of_made(made, tmp_path), "chain 1").keys() >= {"step 1", "step 2", "step 3"}


def torn(file: MetricsFile, folder: Path) -> MetricsFile:
    path = folder / "torn.jsonl"
    path.write_bytes(file.path.read_bytes()[:-200])
    return read(path)


def test_a_torn_file_is_told_up_to_its_last_whole_line(tmp_path: Path) -> None:
    made = make_run(1, finished=False)
    file = runs.read_made(made, tmp_path)
    assert len(trace_of(torn(file, tmp_path)).spans) == len(trace_of(file).spans)


def test_a_step_without_queues_is_told_without_their_waits(tmp_path: Path) -> None:
    trace = trace_of_made(without_queues(runs.one_step()), tmp_path)
    assert lengths(trace, "chain 1", "step 1") == {
        "send": 2.0,
        "transit to the worker": 2.5,
        "worker wait": 9.0,
        "chain 1 step 1": 801.0,
        "transit back": 2.5,
    }
    for span in trace.spans:
        assert not [name for name in span.attributes if name.startswith(("messaging.", "aws.sqs."))]


def test_a_function_begins_a_step_when_its_transit_is_over(tmp_path: Path) -> None:
    made = runs.one_step(queue_wait_ns=None, receive_count=None, worker_wait_ns=0)
    plan = made.plan.model_copy(
        update={
            "channel": "lambda",
            "lambda_function": "arn:aws:lambda:eu-west-1:1:function:f",
            "steps_queue_url": None,
        }
    )
    made.lines[0] = made.lines[0].model_copy(update={"plan": plan})
    found = lengths(trace_of_made(MadeRun(plan, made.lines), tmp_path), "chain 1", "step 1")
    assert found["transit to the worker"] == 815 - 801 - 4
    assert "transit back" not in found
