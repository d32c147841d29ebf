from __future__ import annotations

import os
from pathlib import Path

from stepbench.settings import Settings


def test_no_setting_of_the_developer_reaches_a_test() -> None:
    assert Settings() == Settings.model_construct()


def test_no_credentials_of_the_developer_reach_a_test() -> None:
    assert [name for name in os.environ if name.startswith("AWS_") and ("KEY" in name or "TOKEN" in name)] == []


def test_tests_run_in_an_empty_folder_outside_the_source_tree(tmp_path: Path) -> None:
    assert Path.cwd() == tmp_path
    assert list(Path.cwd().iterdir()) == []
