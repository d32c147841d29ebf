from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stepbench.package_path import ROOT, with_our_packages


@pytest.mark.parametrize(
    ("users", "expected"),
    [({}, ROOT), ({"PYTHONPATH": ""}, ROOT), ({"PYTHONPATH": "/their/lib"}, f"{ROOT}{os.pathsep}/their/lib")],
)
def test_our_packages_come_first_and_the_users_own_places_after_them(users: dict[str, str], expected: str) -> None:
    assert with_our_packages({"HOME": "/home", **users}) == {"HOME": "/home", "PYTHONPATH": expected}


@pytest.mark.parametrize("package", ["orchestrator", "worker", "stepbench"])
def test_a_file_in_the_current_folder_is_not_taken_for_a_package_of_ours(package: str) -> None:
    Path(f"{package}.py").write_text("raise RuntimeError('not ours')")

    subprocess.run([sys.executable, "-P", "-c", f"import {package}"], env=with_our_packages({}), check=True)
