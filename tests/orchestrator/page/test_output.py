from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.page import output
from stepbench.errors import EnvironmentRefused, UsageError


def test_a_folder_is_made_and_what_is_none_or_cannot_be_made_is_told_with_the_flag(tmp_path: Path) -> None:
    for _ in range(2):
        output.make_folder("--png", tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--png: .* is no folder"):
        output.make_folder("--png", tmp_path / "file")
    with pytest.raises(EnvironmentRefused, match=r"--png: cannot make .*: File name too long"):
        output.make_folder("--png", tmp_path / ("x" * 300))
