from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.report import whole_files
from stepbench.errors import EnvironmentRefused, UsageError
from tests.orchestrator.experiment.plans import write_experiment
from tests.orchestrator.report.sample_factory import make_run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "metrics-r1.jsonl"
    path.write_text("{}\n")
    return path


def test_a_new_file_and_one_that_is_written_again_are_fine(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    for text in ("one", "two"):
        whole_files.check("--perfetto", path, [source])
        whole_files.write("--perfetto", path, [text.encode(), b"\n"])
        assert path.read_text() == f"{text}\n"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_the_metrics_file_is_never_written_over_by_whatever_name(source: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(source)
    hard = tmp_path / "hard.json"
    hard.hardlink_to(source)
    for path in (source, link, hard):
        with pytest.raises(UsageError, match=r"--otlp: .* is a metrics file that this is made from"):
            whole_files.check("--otlp", path, [source])


def test_a_place_where_no_file_can_be_is_refused_with_the_flag(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--otlp: .* is no regular file"):
        whole_files.check("--otlp", tmp_path, [source])
    with pytest.raises(UsageError, match="--otlp: there is no folder"):
        whole_files.check("--otlp", tmp_path / "none" / "x.json", [source])
    with pytest.raises(UsageError, match=r"--otlp: cannot write .*: File name too long"):
        whole_files.check("--otlp", tmp_path / ("x" * 300), [source])


def test_a_link_to_nowhere_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"--html: .* is a link to a file that is not there"):
        whole_files.check("--html", tmp_path / "link", [source])


def test_what_breaks_off_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text("before")

    def breaking() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        whole_files.write("--otlp", path, breaking())
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(EnvironmentRefused, match=r"--otlp: cannot write .*: No space left on device"):
        whole_files.write("--otlp", tmp_path / "trace.json", [b"x"])
    assert list(tmp_path.iterdir()) == []


def _ours(given: bytes) -> bool:
    return b"ours" in given


def test_a_new_file_and_one_of_an_earlier_report_may_be_written(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    whole_files.check_is_earlier("--html", path, "report", _ours)
    path.write_bytes(b"x" * 100_000 + b"ours")
    whole_files.check_is_earlier("--html", path, "report", _ours)


def test_a_file_of_somebody_else_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "thesis.html"
    path.write_text("years of work")
    with pytest.raises(UsageError, match="is not of an earlier report; name another file, or add --force"):
        whole_files.check_is_earlier("--html", path, "report", _ours)


def test_a_metrics_file_of_another_run_is_written_over_by_no_flag(tmp_path: Path) -> None:
    path = make_run(1).write(tmp_path)

    with pytest.raises(UsageError, match="holds what was measured"):
        whole_files.check("--html", path, [])


def test_the_manifest_of_an_experiment_is_written_over_by_no_flag(tmp_path: Path) -> None:
    folder = tmp_path / "experiment-x"
    write_experiment(folder, {"json": 1000, "arrow": 400})

    with pytest.raises(UsageError, match="holds what was measured"):
        whole_files.check("--html", folder / "experiment.jsonl", [])
