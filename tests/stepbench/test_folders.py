from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from stepbench.folders import obstacle


@pytest.mark.parametrize("folder", [".", "out", "a/b/c", "there", "there/below"])
def test_a_folder_that_can_be_written_or_made_has_no_obstacle_and_is_not_made(folder: str) -> None:
    Path("there").mkdir()

    assert obstacle(Path(folder)) is None
    assert obstacle(Path(folder).absolute()) is None
    assert [path.name for path in Path().rglob("*")] == ["there"]


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("file", "file is no folder"),
        ("file/below", "file is no folder"),
        ("/dev/null/out", "/dev/null is no folder"),
        ("x" * 300, "it cannot be written: File name too long"),
    ],
)
def test_what_stands_in_the_way_is_told(folder: str, reason: str) -> None:
    Path("file").touch()

    assert obstacle(Path(folder)) == reason


def test_where_no_file_can_be_made_is_found_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in /proc, also for root, whom the permissions allow everything.
    def refused(**_: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)

    assert obstacle(Path("out")) == "it cannot be written: Permission denied"


def test_a_folder_whose_name_is_no_text_is_an_obstacle(tmp_path: Path) -> None:
    for name in (b"out\xff", b"out\nside", b"out\x1b[2J"):
        assert obstacle(tmp_path / os.fsdecode(name)) == "its name has bytes that are no line of UTF-8 text"
    assert obstacle(tmp_path / "gro\u00df, mit\u00a0L\u00fccke") is None
