from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.report.locate import find, path_of
from stepbench.errors import UsageError


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for age, run_id in enumerate(("20250102-a", "20250101-b", "20250103-c")):
        path = tmp_path / f"metrics-{run_id}.jsonl"
        path.touch()
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "notes.jsonl").touch()
    return tmp_path


def test_a_run_id_is_looked_for_in_the_metrics_dir(out: Path) -> None:
    assert find(out, "20250101-b") == out / "metrics-20250101-b.jsonl"


def test_a_file_is_taken_as_it_is(out: Path) -> None:
    assert find(Path("elsewhere"), str(out / "notes.jsonl")) == out / "notes.jsonl"


def test_without_a_target_the_file_written_last_is_meant(out: Path) -> None:
    assert find(out, None) == out / "metrics-20250102-a.jsonl"


def test_a_mistyped_run_id_is_answered_with_the_nearest_one(out: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean .*metrics-20250101-b\.jsonl"):
        find(out, "20250101-x")


def test_where_nothing_is_near_the_error_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--metrics-dir"):
        find(tmp_path, "r1")
    with pytest.raises(UsageError, match=r"no metrics file missing\.jsonl"):
        find(tmp_path, "missing.jsonl")


@pytest.mark.parametrize("metrics_dir", ["empty", "missing"])
def test_without_any_file_the_error_says_how_to_make_one(tmp_path: Path, metrics_dir: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="orchestrator start"):
        find(tmp_path / metrics_dir, None)


def test_a_file_that_is_not_there_yet_has_its_path_all_the_same(tmp_path: Path) -> None:
    assert path_of(tmp_path, "r9") == tmp_path / "metrics-r9.jsonl"
    assert path_of(tmp_path, "some/where.jsonl") == Path("some/where.jsonl")
