from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.report import likeness
from orchestrator.report.metrics_file import MetricsFile, read
from orchestrator.report.statistics import summarise
from tests.orchestrator.report.sample_factory import make_run


def _file(folder: Path, run_id: str, environment: str = "embedded", **line: Any) -> MetricsFile:
    run = make_run(run_id=run_id, environment=environment)
    run.lines[0] = run.lines[0].model_copy(update=line)
    return read(run.write(folder))


def test_runs_of_different_versions_in_one_report_draw_a_warning_that_names_them(tmp_path: Path) -> None:
    versions = {"stepbench": "0.1.0", "boto3": "1.44.5"}
    files = [_file(tmp_path, "r1", versions=versions), _file(tmp_path, "r2", versions=versions | {"boto3": "1.40.0"})]
    (told,) = [warning for warning in summarise(files).warnings if "versions" in warning]
    assert "(boto3 1.44.5 and 1.40.0)" in told
    assert list(likeness.unlike(files[:1])) == []


def test_so_do_runs_of_different_machines_whose_host_is_another_in_each_container(tmp_path: Path) -> None:
    for environment, told in (("aws", []), ("embedded", ["host a and b"])):
        files = [_file(tmp_path, run_id, environment, machine={"host": run_id, "cores": 2}) for run_id in "ab"]
        assert [sentence.partition("(")[2].partition(")")[0] for sentence in likeness.unlike(files)] == told
    files = [_file(tmp_path, f"r{cores}", "aws", machine={"cores": cores}) for cores in (2, 8)]
    assert "(cores 2 and 8)" in next(likeness.unlike(files))


def test_what_is_pooled_in_one_summary_is_told_also_of_settings(tmp_path: Path) -> None:
    files = [_file(tmp_path, f"r{count}", settings={"EXECUTORS": count}) for count in (1, 2)]
    assert "The samples differ in executors: these figures are over all of them together." in summarise(files).warnings
