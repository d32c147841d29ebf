from __future__ import annotations

from pathlib import Path

from orchestrator.report.statistics import summarise
from orchestrator.report.summary import PARTS
from orchestrator.run.lines import Event
from tests.orchestrator.page.folders import experiment, hostile, one_run, view_of
from tests.orchestrator.report.sample_factory import AT, make_failure, make_run


def test_every_sample_is_a_row_and_those_in_the_statistics_are_marked(tmp_path: Path) -> None:
    run = make_run(run_id="r1")
    view = view_of(one_run(tmp_path, run))
    samples = view.tables["samples"]
    assert samples.length == len(run.samples)
    summary = summarise(view.material.files)
    assert sum(map(bool, samples.columns["in_statistics"])) == summary.counts.in_statistics


def test_parts_of_a_row_add_up_to_its_wall(tmp_path: Path) -> None:
    samples = view_of(one_run(tmp_path, make_run(run_id="r1"))).tables["samples"]
    for number in range(samples.length):
        parts = sum(int(samples.columns[f"{part}_ns"][number] or 0) for part in PARTS)
        outside = sum(int(samples.columns[f"{part}_ns"][number] or 0) for part in ("turnaround", "retry"))
        assert parts - outside == samples.columns["total_ns"][number]


def test_a_case_has_the_experiments_own_figures(tmp_path: Path) -> None:
    view = view_of(experiment(tmp_path / "e"))
    cases = view.tables["cases"]
    result = view.material.result
    assert result is not None
    assert cases.columns["case"] == [case.name for case in result.cases]
    assert cases.columns["step_ns"] == [case.step_ns.median for case in result.cases]
    assert cases.columns["case"][0] == "arrow"
    assert cases.columns["verdict"][0] == "less"


def test_failures_and_events_keep_their_words(tmp_path: Path) -> None:
    run = hostile()
    run.lines.insert(6, Event(event="lost", at=AT, chain=1, step=1, attempt=1))
    view = view_of(one_run(tmp_path, run))
    failure = next(line for line in run.lines if line.kind == "failure")
    assert view.tables["failures"].columns["message"] == [failure.message]
    assert view.tables["events"].columns["event"] == ["lost"]


def test_what_is_not_known_is_null_and_never_zero(tmp_path: Path) -> None:
    run = make_run(run_id="r1")
    old = run.samples[0]
    run.replace(old, old.model_copy(update={"peak_rss_bytes": None, "s3": type(old.s3)()}))
    samples = view_of(one_run(tmp_path, run)).tables["samples"]
    assert samples.columns["peak_rss_bytes"][0] is None
    assert samples.columns["s3_get_requests"][0] is None
    assert samples.columns["s3_get_statuses"][0] is None


def test_plain_runs_are_ordered_by_their_medians_and_get_no_verdict(tmp_path: Path) -> None:
    one_run(tmp_path, make_run(1, run_id="r1"))
    one_run(tmp_path, make_run(2, run_id="r2", serializer="arrow"))
    cases = view_of(tmp_path).tables["cases"]
    steps = [float(value or 0) for value in cases.columns["step_ns"]]
    assert steps == sorted(steps)
    assert cases.columns["verdict"] == [None, None]


def test_a_failed_attempt_does_not_count_as_a_failed_run(tmp_path: Path) -> None:
    run = make_run(run_id="r1")
    run.lines.insert(5, make_failure(1, 1))
    assert view_of(one_run(tmp_path, run)).tables["cases"].columns["failed_runs"] == [0]
