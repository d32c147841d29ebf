from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.run import plan
from orchestrator.run.journal import Journal, begin, path_of
from orchestrator.run.lines import Event, RunLine
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.settings import Settings
from tests.orchestrator.report.sample_factory import make_plan


def events(*messages: str) -> list[Event]:
    return [Event(event="foreign", at="now", message=message) for message in messages]


def messages_in(path: Path) -> list[str]:
    return [json.loads(line)["message"] for line in path.read_text().splitlines()]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "metrics-r1.jsonl")


def test_what_was_written_is_in_the_file_when_write_returns(journal: Journal) -> None:
    journal.write(events("one", "two"))
    assert messages_in(journal.path) == ["one", "two"]
    journal.write([])
    journal.write(events("three"))
    assert messages_in(journal.path) == ["one", "two", "three"]


def test_a_line_is_one_line_whatever_it_says(journal: Journal) -> None:
    text = "line\nbreak \r\n \u2028 \x00 naïve ☃"
    journal.write(events(text))
    (line,) = journal.path.read_bytes().split(b"\n")[:-1]
    assert json.loads(line)["message"] == text


def test_the_first_line_holds_the_plan_the_settings_and_the_versions(tmp_path: Path) -> None:
    settings = Settings(ORCH_BUCKET="b", STEPS=7)
    begin(tmp_path / "m.jsonl", make_plan(), settings).close()
    (line,) = (tmp_path / "m.jsonl").read_text().splitlines()
    run = RunLine.model_validate_json(line)
    assert run.kind == "run"
    assert run.plan == make_plan()
    assert (run.settings["ORCH_BUCKET"], run.settings["STEPS"]) == ("b", 7)
    assert "python" in run.versions
    assert run.machine["cores"] >= 1


class Disk:
    """Takes so many bytes and no more."""

    def __init__(self, room_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room_bytes = room_bytes
        self._write = os.write
        monkeypatch.setattr("orchestrator.run.journal.os.write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if not self.room_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(fd, data[: self.room_bytes])
        self.room_bytes -= written
        return written


@pytest.mark.parametrize("room_bytes", [0, 1, 100])
def test_a_full_disk_leaves_all_of_the_lines_out_and_what_was_there_in(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, room_bytes: int
) -> None:
    journal.write(events("before"))
    disk = Disk(room_bytes, monkeypatch)
    with pytest.raises(EnvironmentRefused, match="No space left on device"):
        journal.write(events("one", "two", "three"))
    assert messages_in(journal.path) == ["before"]
    disk.room_bytes = 10_000
    journal.write(events("after"))
    assert messages_in(journal.path) == ["before", "after"]


def test_a_disk_without_room_for_the_first_line_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(10, monkeypatch)
    with pytest.raises(EnvironmentRefused, match=r"No space left on device; make room there$"):
        begin(tmp_path / "m.jsonl", make_plan(), Settings())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int]]:
    """What was written through to the disk, with the size that it had then; 0 for a folder."""
    seen: list[tuple[Path, int]] = []

    def fsync(fd: int) -> None:
        path = Path(f"/dev/fd/{fd}").resolve()
        seen.append((path, path.stat().st_size if path.is_file() else 0))

    monkeypatch.setattr("orchestrator.run.journal.os.fsync", fsync)
    return seen


@pytest.mark.parametrize("through", [True, False])
def test_lines_and_the_files_name_are_written_through_to_the_disk_where_that_is_asked_for(
    tmp_path: Path, synced: list[tuple[Path, int]], through: bool
) -> None:
    path = tmp_path / "m.jsonl"
    journal = Journal(path, through=through)
    journal.write(events("one"))
    first_bytes = path.stat().st_size
    journal.write(events("two"))

    expected = [(tmp_path, 0), (path, first_bytes), (path, path.stat().st_size)]
    assert synced == (expected if through else [])


@pytest.mark.parametrize("through", [True, False])
def test_of_a_file_that_is_taken_up_what_was_there_is_written_through_first(
    tmp_path: Path, synced: list[tuple[Path, int]], through: bool
) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"whole\ntorn")
    journal = Journal(path, again=True)
    journal.cut(6, through=through)
    journal.write(events("one"))

    assert synced == ([(path, 6), (tmp_path, 0), (path, path.stat().st_size)] if through else [])


def test_a_file_that_was_removed_is_written_through_again_with_its_name(
    tmp_path: Path, synced: list[tuple[Path, int]]
) -> None:
    path = tmp_path / "m.jsonl"
    journal = Journal(path, through=True)
    path.unlink()
    journal.write(events("one"))

    assert synced == [(tmp_path, 0), (tmp_path, 0), (path, path.stat().st_size)]


def test_a_disk_that_refuses_what_was_there_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "m.jsonl"
    path.write_bytes(b"whole\n")
    journal = Journal(path, again=True)
    monkeypatch.setattr("orchestrator.run.journal.os.fsync", full)
    with pytest.raises(EnvironmentRefused, match="No space left on device; make room there"):
        journal.cut(6, through=True)


def test_a_file_that_was_removed_is_written_again_with_all_that_it_had_and_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.run.journal.PIECE_BYTES", 100)
    (tmp_path / "folder").mkdir()
    journal = Journal(tmp_path / "folder" / "m.jsonl")
    journal.write(events("one", "two"))
    shutil.rmtree(journal.path.parent)

    journal.write(events("three"))

    assert messages_in(journal.path) == ["one", "two", "three"]
    with pytest.raises(UsageError, match="still going on"):
        Journal(journal.path, again=True)
    journal.write(events("four"))
    assert messages_in(journal.path)[-1] == "four"


def test_another_file_in_its_place_is_never_written_to(journal: Journal) -> None:
    journal.write(events("one"))
    journal.path.rename(journal.path.with_name("elsewhere"))
    journal.path.write_text("somebody else's\n")
    with pytest.raises(EnvironmentRefused, match="is another file than the one that this run has written so far"):
        journal.write(events("two"))
    assert journal.path.read_text() == "somebody else's\n"


def test_nothing_is_written_behind_a_file_that_was_cut_short(journal: Journal) -> None:
    journal.write(events("one"))
    left = journal.path.read_bytes()[:-10]
    journal.path.write_bytes(left)

    with pytest.raises(EnvironmentRefused, match=rf"was cut short by another program: {len(left)} bytes are left of"):
        journal.write(events("two"))
    assert journal.path.read_bytes() == left


def test_a_write_in_pieces_is_finished(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("orchestrator.run.journal.os.write", lambda fd, data: write(fd, data[:7]))
    journal.write(events("one", "two"))
    assert messages_in(journal.path) == ["one", "two"]


def test_an_interrupt_between_the_pieces_of_a_write_leaves_no_torn_line(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    pieces: list[Any] = [b"x", KeyboardInterrupt()]

    def interrupted(fd: int, data: bytes) -> int:
        piece = pieces.pop(0)
        if isinstance(piece, KeyboardInterrupt):
            raise piece
        return write(fd, data[:5])

    with monkeypatch.context() as patch:
        patch.setattr("orchestrator.run.journal.os.write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.write(events("one"))
    journal.write(events("interrupted"))
    assert messages_in(journal.path) == ["interrupted"]


def test_no_metrics_file_is_ever_written_over(tmp_path: Path) -> None:
    Journal(tmp_path / "m.jsonl").close()
    with pytest.raises(UsageError, match=r"--metrics-dir \(METRICS_DIR\).*File exists"):
        Journal(tmp_path / "m.jsonl")


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    for name in ("m1.jsonl", "m2.jsonl"):
        begin(tmp_path / "a" / "b" / name, make_plan(), Settings()).close()
        assert (tmp_path / "a" / "b" / name).exists()


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match=r"--metrics-dir \(METRICS_DIR\): cannot make .*file"):
            begin(folder / "m.jsonl", make_plan(), Settings())


def test_a_file_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--metrics-dir \(METRICS_DIR\).*No such file"):
        Journal(tmp_path / "missing" / "m.jsonl")


def test_a_metrics_file_is_called_after_its_run(tmp_path: Path) -> None:
    assert path_of(tmp_path, "r1") == tmp_path / "metrics-r1.jsonl"
    assert plan.new_run_id(plan.utc_now()) not in ("", plan.new_run_id(plan.utc_now()))


def test_what_is_no_file_to_go_on_with_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*: Is a directory; name a metrics file"):
        Journal(tmp_path, again=True)
