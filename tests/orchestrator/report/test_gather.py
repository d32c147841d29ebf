from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.report.gather import gather
from stepbench.errors import UsageError
from tests.orchestrator.report.sample_factory import make_run


def test_run_ids_and_files_are_read_in_their_order(tmp_path: Path) -> None:
    paths = [make_run(run_id=run_id).write(tmp_path) for run_id in ("r1", "r2")]
    assert [file.run.run_id for file in gather(tmp_path, ["r2", str(paths[0])])] == ["r2", "r1"]


def test_a_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    path = make_run().write(tmp_path)
    assert len(gather(tmp_path, ["r1", str(path)])) == 1


def test_a_copy_of_a_run_beside_it_is_refused(tmp_path: Path) -> None:
    path = make_run().write(tmp_path)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(path.read_bytes())
    with pytest.raises(UsageError, match="both of run r1"):
        gather(tmp_path, ["r1", str(copy)])


def test_without_a_target_the_newest_run_is_meant(tmp_path: Path) -> None:
    make_run().write(tmp_path)
    assert len(gather(tmp_path, [])) == 1


def test_a_run_that_is_not_here_may_have_a_copy_in_the_bucket(tmp_path: Path) -> None:
    run_id = "20310203-040506-0a1b2c"
    with pytest.raises(UsageError) as caught:
        gather(tmp_path, [run_id])
    assert f"python -m orchestrator tail {run_id} reads that, and resume {run_id} goes on" in caught.value.problems[1]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "metrics-empty.jsonl").touch()
    with pytest.raises(UsageError) as caught:
        gather(tmp_path, ["r1", "empty", str(tmp_path)])
    assert len(caught.value.problems) == 3
