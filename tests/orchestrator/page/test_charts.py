"""The contract of all charts: data that draw, words that say it, and nothing where there is nothing to see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from orchestrator.page import charts
from orchestrator.page.charts import Chart
from orchestrator.page.shown import ABSENT
from stepbench import registry
from tests.orchestrator.page.folders import (
    all_failed,
    all_interrupted,
    experiment,
    hostile,
    nothing_done,
    one_run,
    view_of,
)
from tests.orchestrator.report.sample_factory import MadeRun, make_run, make_sample, without_queues

NAMES = registry.choices("orchestrator.page.charts")


def _by_name(*targets: Path) -> dict[str, Chart]:
    return {chart.name: chart for chart in charts.charts_of(view_of(*targets))}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chart]:
    """Those of an experiment."""
    return _by_name(experiment(tmp_path_factory.mktemp("charts") / "e"))


def _fields(spec: Any) -> Iterator[str]:
    """Every field that a specification draws."""
    if isinstance(spec, dict):
        if isinstance(spec.get("field"), str):
            yield spec["field"]
        for part in spec.values():
            yield from _fields(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from _fields(part)


def test_an_experiment_shows_every_chart_there_is(shown: dict[str, Chart]) -> None:
    assert sorted(shown) == sorted(NAMES)


def test_charts_stand_in_their_places_and_the_answer_is_first(shown: dict[str, Chart]) -> None:
    assert list(shown)[:2] == ["verdict", "parts"]


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_is_whole(name: str, shown: dict[str, Chart]) -> None:
    chart = shown[name]
    vl_convert.vegalite_to_vega(json.dumps(chart.spec))
    known = {column for rows in chart.data.values() for row in rows for column in row}
    assert set(_fields(dict(chart.spec))) <= known
    assert chart.says.endswith(".")
    assert chart.how
    assert chart.title
    json.dumps({key: [dict(row) for row in rows] for key, rows in chart.data.items()}, allow_nan=False)


@pytest.mark.parametrize("run", [nothing_done(), all_failed(), all_interrupted(), hostile(), make_run(run_id="r1")])
def test_whatever_a_file_holds_charts_are_drawn_or_left_out(run: MadeRun, tmp_path: Path) -> None:
    for chart in charts.charts_of(view_of(one_run(tmp_path, run))):
        assert any(rows for rows in chart.data.values())
        json.dumps({key: [dict(row) for row in rows] for key, rows in chart.data.items()}, allow_nan=False)


def test_where_nothing_was_done_there_is_no_chart(tmp_path: Path) -> None:
    assert _by_name(one_run(tmp_path, nothing_done())) == {}


def test_one_case_alone_is_not_held_against_others(tmp_path: Path) -> None:
    assert not {"verdict", "size"} & _by_name(one_run(tmp_path, make_run(run_id="r1"))).keys()


def test_stacked_parts_add_up_to_the_mean_step(tmp_path: Path) -> None:
    folder = one_run(tmp_path, make_run(run_id="r1", chains=3, steps=6))
    used = view_of(folder).material.used("json none")
    mean_ms = sum((s.turnaround_ns or 0) + (s.retry_ns or 0) + (s.total_ns or 0) for s in used) / len(used) / 1e6
    rows = _by_name(folder)["parts"].data["parts"]
    assert sum(float(row["time"] or 0) for row in rows) == pytest.approx(mean_ms)


def test_parts_that_a_channel_cannot_tell_are_absent_and_not_nothing(tmp_path: Path) -> None:
    slow = make_run(1, run_id="r1")
    for sample in slow.samples:
        waited = {"queue_wait_ns": 10**9, "total_ns": (sample.total_ns or 0) - (sample.queue_wait_ns or 0) + 10**9}
        slow.replace(sample, sample.model_copy(update=waited))
    one_run(tmp_path, slow)
    one_run(tmp_path, without_queues(make_run(2, run_id="r2", serializer="arrow")))
    parts = _by_name(tmp_path)["parts"]
    assert parts.figures is not None
    column = list(parts.figures.headings).index("queue wait")
    assert {row[0]: row[column] for row in parts.figures.rows} == {
        "json none sqs": "1.00 s",
        "arrow none direct": ABSENT,
    }
    assert "way through the queues" in parts.how


def test_without_queues_no_picture_speaks_of_them(tmp_path: Path) -> None:
    shown = _by_name(one_run(tmp_path, without_queues(make_run(run_id="r1", chains=3, steps=6))))
    assert {row["what"] for row in shown["timeline"].data["pieces"]} == {"works"}
    assert not [name for name, chart in shown.items() if "queue" in f"{chart.how} {chart.says}"]


def test_every_step_in_the_statistics_is_a_point(tmp_path: Path) -> None:
    folder = one_run(tmp_path, make_run(run_id="r1", chains=3, steps=6))
    used = view_of(folder).material.used("json none")
    points = _by_name(folder)["spread"].data["steps"]
    assert sorted(float(row["time"] or 0) for row in points) == pytest.approx(
        sorted((sample.total_ns or 0) / 1e6 for sample in used), abs=1e-3
    )


def test_the_timeline_shows_phases_in_their_length_and_the_queue_wait_before_them(tmp_path: Path) -> None:
    run = make_run(run_id="r1", chains=1, steps=1, concurrency=1)
    sample = make_sample()
    run.replace(run.samples[0], sample)
    rows = _by_name(one_run(tmp_path, run))["timeline"].data["pieces"]
    lengths = {str(row["part"]): float(row["to"] or 0) - float(row["from"] or 0) for row in rows}
    assert lengths["download"] == pytest.approx(100.0)
    assert lengths["queue wait"] == pytest.approx(3.0)
    waited = next(row for row in rows if row["part"] == "queue wait")
    download = next(row for row in rows if row["part"] == "download")
    assert float(waited["to"] or 0) <= float(download["from"] or 0)
    assert waited["lane"] == download["lane"]


def test_of_a_long_run_the_timeline_shows_the_beginning_and_says_so(tmp_path: Path) -> None:
    chart = _by_name(one_run(tmp_path, make_run(run_id="r1", chains=2, steps=120)))["timeline"]
    assert len({row["step"] for row in chart.data["pieces"]}) == 150
    assert "first 150 steps" in chart.how


def test_of_many_executors_the_timeline_shows_the_first_and_says_so(tmp_path: Path) -> None:
    run = make_run(run_id="r1", chains=30, steps=1, concurrency=30)
    for number, sample in enumerate(run.samples, 1):
        run.replace(sample, sample.model_copy(update={"executor": f"e{number}"}))
    chart = _by_name(one_run(tmp_path, run))["timeline"]
    assert len({row["lane"] for row in chart.data["pieces"]}) == 24
    assert "Of a run with 30 executors, the first 24 are shown." in chart.how
    assert "24 steps on 24 of 30 executors" in chart.says


def test_faults_and_retries_are_marked_over_time(tmp_path: Path) -> None:
    run = hostile()
    retried = sum(sample.attempt > 1 for sample in run.samples)
    marks = _by_name(one_run(tmp_path, run))["throughput"].data["marks"]
    kinds = [mark["kind"] for mark in marks]
    assert kinds.count("failed attempt") == 1
    assert kinds.count("retry") == retried


def test_a_flood_of_marks_is_thinned_evenly_and_counted_whole(tmp_path: Path) -> None:
    run = make_run(run_id="r1", chains=2, steps=400)
    for sample in run.samples:
        run.replace(sample, sample.model_copy(update={"attempt": 2}))
    chart = _by_name(one_run(tmp_path, run))["throughput"]
    marks = chart.data["marks"]
    ends = [float(str(mark["at"])) for mark in marks]
    assert len(marks) == 500
    assert "800 x retry" in chart.says
    assert "Of 800 faults and retries, 500 are marked" in chart.notes[0]
    assert max(ends) - min(ends) > 0.9 * (max(s.completed_at_ns for s in run.samples) - 10**12) / 1e6


def test_the_front_is_the_experiments_own(tmp_path: Path) -> None:
    view = view_of(experiment(tmp_path / "e"))
    assert view.material.result is not None
    front = {case.name for case in view.material.result.cases if case.on_front}
    rows = {chart.name: chart for chart in charts.charts_of(view)}["size"].data["cases"]
    assert {row["case"] for row in rows if row["front"] == "on the front"} == front


def test_what_keeps_a_case_on_the_front_is_told(tmp_path: Path) -> None:
    judged = {chart.name: chart for chart in charts.charts_of(view_of(experiment(tmp_path / "e")))}["size"]
    assert "shown to be faster" in judged.says
    for number, serializer in enumerate(("json", "arrow"), 1):
        one_run(tmp_path / "runs", make_run(number, run_id=f"r{number}", serializer=serializer))
    plain = {chart.name: chart for chart in charts.charts_of(view_of(tmp_path / "runs"))}["size"]
    assert "no worse in both medians" in plain.says


def test_every_case_has_its_name_beside_its_point_and_no_two_lie_on_each_other(tmp_path: Path) -> None:
    cases = {f"a case with a long name {number}": 1_000.0 + number for number in range(4)}
    rows = {chart.name: chart for chart in charts.charts_of(view_of(experiment(tmp_path / "e", cases)))}["size"].data[
        "cases"
    ]
    levels = [row["level"] for row in rows]
    assert None not in levels
    assert len(set(levels)) == len(rows)
