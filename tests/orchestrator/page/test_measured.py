from __future__ import annotations

from pathlib import Path

from orchestrator.page import measured
from tests.orchestrator.experiment.plans import make_experiment, write_manifest
from tests.orchestrator.page.folders import one_run, page_of, read
from tests.orchestrator.report.sample_factory import by_function, make_run


def test_one_line_says_what_was_measured_when_and_where(tmp_path: Path) -> None:
    for number, payload_mb in enumerate((1.0, 50.0), 1):
        run = make_run(number, run_id=f"r{number}", payload_mb=payload_mb)
        machine = {"host": "vm", "processor": "Xeon", "cores": 2, "memory_bytes": 4_000_000_000}
        run.lines[0] = run.lines[0].model_copy(update={"machine": machine})
        one_run(tmp_path, run)
    told = measured.line_of(read(tmp_path))
    assert told == (
        "Measured on 2025-01-02 on vm (Xeon, 2 cores, 4.00 GB): payload 1 MB / 50 MB, 3 steps x 2 chains a run, "
        "2 in flight, 1 executor, S3 client boto3, 2 runs, stepbench 0.1.0."
    )
    assert told in page_of(tmp_path)


def test_in_aws_the_machine_is_the_orchestrators_and_a_function_has_environments(tmp_path: Path) -> None:
    one_run(tmp_path, by_function(make_run(run_id="r1", environment="aws")))
    told = measured.line_of(read(tmp_path))
    assert "in AWS, the orchestrator on a machine that is not told" in told
    assert "1 environment," in told


def test_before_anything_has_run_there_is_no_such_line(tmp_path: Path) -> None:
    write_manifest(tmp_path / "e", make_experiment("a", "b"))
    assert measured.line_of(read(tmp_path / "e")) == ""
