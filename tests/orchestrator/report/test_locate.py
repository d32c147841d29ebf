from __future__ import annotations

import os
from collections.abc import Callable
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


def test_a_name_that_no_file_can_have_is_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no metrics file") as told:
        find(tmp_path, "r" * 5_000)
    assert len(str(told.value)) < 500


def test_a_name_that_is_no_text_is_refused_and_shown_as_its_bytes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"out\xff")
    folder.mkdir()
    (folder / "metrics-r1.jsonl").touch()
    for target in (None, "r1", str(folder / "metrics-r1.jsonl")):
        with pytest.raises(UsageError, match=r"out\\xff/metrics-r1\.jsonl has bytes .* rename it"):
            find(folder, target)


def test_what_is_no_file_is_not_the_newest_nor_the_nearest(out: Path) -> None:
    newest = find(out, None)
    link = out / "metrics-20310203-040506-fffffe.jsonl"
    link.symlink_to("nowhere")
    os.mkfifo(out / "metrics-20310203-040506-ffffff.jsonl")

    assert find(out, None) == newest
    with pytest.raises(UsageError, match=r"-fffffe\.jsonl is a link to nowhere, where no file is; name a run id"):
        find(out, "20310203-040506-fffffe")
    with pytest.raises(UsageError, match=r"no metrics file .*-fffffd\.jsonl; did you mean .*250103-c\.jsonl\?"):
        find(out, "20310203-040506-fffffd")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_regular_file_is_refused_before_it_is_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "metrics-r1.jsonl"
    make(path)
    with pytest.raises(UsageError, match=r"metrics-r1\.jsonl is no regular file; name a metrics file"):
        find(tmp_path, "r1")
