from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.page import output
from stepbench.errors import EnvironmentRefused, UsageError


def _ours(given: bytes) -> bool:
    return b"ours" in given


def test_a_new_file_and_one_of_an_earlier_report_may_be_written(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    output.check("--html", path, _ours)
    path.write_bytes(b"x" * 100_000 + b"ours")
    output.check("--html", path, _ours)


def test_a_file_of_somebody_else_is_kept_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "thesis.html"
    path.write_text("years of work")
    with pytest.raises(UsageError, match="is not of an earlier report; name another file, or add --force"):
        output.check("--html", path, _ours)


def test_a_folder_is_made_and_what_is_none_or_cannot_be_made_is_told_with_the_flag(tmp_path: Path) -> None:
    for _ in range(2):
        output.make_folder("--png", tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--png: .* is no folder"):
        output.make_folder("--png", tmp_path / "file")
    with pytest.raises(EnvironmentRefused, match=r"--png: cannot make .*: File name too long"):
        output.make_folder("--png", tmp_path / ("x" * 300))
