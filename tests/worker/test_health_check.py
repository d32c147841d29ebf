from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker.health_check import HEALTHY_SECONDS, ailment, asked_for_alone, write

WRITTEN_AT_NS = 1_000_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "health"


@pytest.mark.parametrize(
    ("later_seconds", "told"),
    [
        (0, None),
        (HEALTHY_SECONDS, None),
        (HEALTHY_SECONDS + 1, "the worker is stuck or gone: it has written {file} no more for 31 s"),
        (-1, "{file} was written before this machine was started"),
    ],
)
def test_a_worker_is_as_healthy_as_its_file_is_young(file: Path, later_seconds: float, told: str | None) -> None:
    write(file, [], WRITTEN_AT_NS)
    assert ailment(file, WRITTEN_AT_NS + int(later_seconds * 1e9)) == (told and told.format(file=file))


def test_a_worker_with_a_stuck_thread_is_not_healthy_and_says_which(file: Path) -> None:
    write(file, ["heartbeat", "intake"], WRITTEN_AT_NS)
    assert ailment(file, WRITTEN_AT_NS) == "the worker's heartbeat, intake is stuck"


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "{", '{"written_at_ns": null, "stuck": []}', "\udc80"])
def test_a_file_that_no_worker_wrote_is_told_as_such(file: Path, content: str) -> None:
    file.write_bytes(content.encode(errors="surrogateescape"))
    told = ailment(file, WRITTEN_AT_NS)
    assert told == f"{file} was not written by a worker; HEALTH_FILE names the file"


def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    assert ailment(tmp_path, WRITTEN_AT_NS) == f"{tmp_path} cannot be read: Is a directory"


def test_what_never_ends_or_never_begins_keeps_nobody_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        assert ailment(path, WRITTEN_AT_NS) == f"{path} was not written by a worker; HEALTH_FILE names the file"


def test_a_file_that_is_written_leaves_no_other_file_behind(file: Path) -> None:
    for number in range(3):
        write(file, [], number)
    assert list(file.parent.iterdir()) == [file]
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match="directory"):
        write(file, [], 0)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["--check-health", "a"], Path("a")),
        (["--check-health=a"], Path("a")),
        (["--check-health"], None),
        (["--check-health", "a", "b"], None),
        (["--health-file", "a"], None),
        ([], None),
    ],
)
def test_the_short_way_is_for_the_flag_and_the_file_alone(arguments: list[str], path: Path | None) -> None:
    assert asked_for_alone(arguments) == path
