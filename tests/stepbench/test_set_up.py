from __future__ import annotations

import subprocess
import sys

import pytest

from scripts.docs.tree import ROOT
from stepbench import set_up


@pytest.mark.parametrize("words", [["orchestrator", "start"], ["orchestrator", "--help"], ["worker"]])
def test_a_python_without_the_packages_is_told_what_sets_them_up(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )  # -S: without the packages that are installed
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert "make run" in line
    assert ".venv/bin/activate" in line


def test_a_missing_module_of_ours_is_a_bug_and_no_matter_of_setting_up() -> None:
    with pytest.raises(ModuleNotFoundError):
        set_up.sentence(ModuleNotFoundError(name="stepbench.gone"))
