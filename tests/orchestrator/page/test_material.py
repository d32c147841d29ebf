from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepbench.errors import UsageError
from tests.orchestrator.experiment.plans import make_end, make_event, make_experiment, write_manifest
from tests.orchestrator.page.folders import experiment, one_run, read
from tests.orchestrator.report.sample_factory import by_function, make_run, without_queues


def test_an_experiment_keeps_its_cases_rounds_and_verdicts(tmp_path: Path) -> None:
    found = read(experiment(tmp_path / "e"))
    assert found.case_names == ("json", "arrow", "parquet")
    assert found.result is not None
    assert found.result.baseline == "json"
    assert sorted({run.round for run in found.runs if run.counts}) == [1, 2, 3, 4, 5, 6]
    assert all(len(found.of_case(name)) == 6 for name in found.case_names)


def test_plain_runs_with_the_same_choices_are_rounds_of_one_case(tmp_path: Path) -> None:
    for number, serializer in enumerate(("json", "arrow", "json"), 1):
        one_run(tmp_path, make_run(number, run_id=f"r{number}", serializer=serializer))
    found = read(tmp_path)
    assert [(run.case, run.round) for run in found.runs] == [("json none", 1), ("arrow none", 1), ("json none", 2)]
    assert found.result is None


def test_a_case_is_named_by_what_differs(tmp_path: Path) -> None:
    one_run(tmp_path, make_run(1, run_id="r1", payload_mb=1.0))
    one_run(tmp_path, make_run(2, run_id="r2", payload_mb=50.0))
    assert read(tmp_path).case_names == ("json none payload_mb=1", "json none payload_mb=50")


def test_with_and_without_queues_are_not_rounds_of_one_case(tmp_path: Path) -> None:
    one_run(tmp_path, make_run(1, run_id="r1"))
    one_run(tmp_path, without_queues(make_run(2, run_id="r2")))
    assert read(tmp_path).case_names == ("json none sqs", "json none direct")


def test_nor_are_transforms_that_take_another_time(tmp_path: Path) -> None:
    for number, cpu_ms in enumerate((20.0, 80.0), 1):
        parameters = {"transform_cpu_ms": cpu_ms, "transform_io_mb": 1.0}
        run = make_run(number, run_id=f"r{number}", transform="cpu", transform_parameters=parameters)
        one_run(tmp_path, run)
    assert read(tmp_path).case_names == ("json none transform_cpu_ms=20", "json none transform_cpu_ms=80")


def _chosen(folder: Path, run_id: str, settings: dict[str, object], **plan: Any) -> None:
    run = make_run(int(run_id[1:]), run_id=run_id, **plan)
    run.lines[0] = run.lines[0].model_copy(update={"settings": settings})
    one_run(folder, run)


def test_nor_are_other_functions_queues_executors_and_parts(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:"
    for number, name in enumerate(("small", "large", "large:7"), 1):
        one_run(tmp_path / "functions", by_function(make_run(number, run_id=f"r{number}"), f"{arn}{name}"))
    assert read(tmp_path / "functions").case_names == ("json none small", "json none large", "json none large:7")
    for number, name in enumerate(("http://localhost:1/1/a", "http://localhost:2/1/a", "http://localhost:2/1/b"), 1):
        _chosen(tmp_path / "queues", f"r{number}", {}, steps_queue_url=name)
    assert read(tmp_path / "queues").case_names == ("json none a", "json none b")
    for number, executors in enumerate((None, 2), 1):
        _chosen(tmp_path / "executors", f"r{number}", {"EXECUTORS": executors, "S3_PART_MB": 8.0 * number})
    assert read(tmp_path / "executors").case_names == (
        "json none executors not set s3_part_mb=8",
        "json none executors=2 s3_part_mb=16",
    )


def test_a_file_that_is_named_and_lies_in_a_named_folder_counts_once(tmp_path: Path) -> None:
    path = make_run(run_id="r1").write(tmp_path)
    assert len(read(tmp_path, path).runs) == 1


def test_what_cannot_be_read_in_a_folder_is_told_and_the_others_are_reported(tmp_path: Path) -> None:
    one_run(tmp_path, make_run(1, run_id="r1"))
    newer = make_run(2, run_id="r2").write(tmp_path)
    first, *rest = newer.read_text().splitlines(keepends=True)
    newer.write_text("".join([json.dumps(json.loads(first) | {"v": 2}) + "\n", *rest]))
    (tmp_path / "metrics-r3.jsonl").write_text("")
    found = read(tmp_path)
    assert [run.file.run.run_id for run in found.runs] == ["r1"]
    assert "version 2" in found.problems[0]
    assert "is empty" in found.problems[1]


def test_an_empty_folder_is_refused_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no metrics file; name the folder of an experiment or of metrics files"):
        read(tmp_path)


def test_a_folder_in_which_nothing_can_be_read_is_refused_with_all_reasons(tmp_path: Path) -> None:
    for name in ("r1", "r2"):
        (tmp_path / f"metrics-{name}.jsonl").write_text("")
    with pytest.raises(UsageError) as refused:
        read(tmp_path)
    assert len(refused.value.problems) == 2


def test_a_file_that_is_named_itself_is_never_left_out(tmp_path: Path) -> None:
    whole = make_run(run_id="r1").write(tmp_path)
    (tmp_path / "metrics-r2.jsonl").write_text("")
    with pytest.raises(UsageError, match="is empty"):
        read(whole, tmp_path / "metrics-r2.jsonl")


def test_warm_up_rounds_and_failed_runs_are_in_no_statistic(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    ends = [make_end("a", number, ok=number != 2, run_id=f"r{number}") for number in (0, 1, 2)]
    write_manifest(folder, make_experiment("a", "b"), *ends, make_event("finished"))
    for end in ends:
        make_run(run_id=end.run_id).write(folder)
    found = read(folder)
    assert [(run.round, run.counts) for run in found.runs] == [(0, False), (1, True), (2, False)]
    assert {sample.run_id for sample in found.used("a")} == {"r1"}
    assert [bool(run.used()) for run in found.runs] == [False, True, False]
