from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.page import output
from stepbench.errors import EnvironmentRefused, UsageError


def _ours(given: bytes) -> bool:
    return b"ours" in given


def test_an_earlier_report_is_replaced_without_asking(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    path.write_bytes(b"x" * 100_000 + b"ours")
    output.check("--html", path, _ours, force=False)
    output.write("--html", path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_somebody_else_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "thesis.html"
    path.write_text("years of work")
    with pytest.raises(UsageError, match="is not of an earlier report; name another file, or add --force"):
        output.check("--html", path, _ours, force=False)
    output.check("--html", path, _ours, force=True)


@pytest.mark.parametrize("place", ["missing/r.html", "folder"])
def test_what_is_no_place_for_a_file_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="--html"):
        output.check("--html", tmp_path / place, _ours, force=True)


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is a link to a file that is not there"):
        output.check("--html", tmp_path / "link", _ours, force=False)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.html"
    path.write_text("ours")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EnvironmentRefused, match="No space left"):
        output.write("--html", path, b"new")
    assert path.read_text() == "ours"
    assert list(tmp_path.iterdir()) == [path]
