"""hadolint has nothing to say of the Dockerfile, shellcheck nothing of the scripts."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from scripts.docs.tree import ROOT, text_of, tracked_files

pytestmark = pytest.mark.infra


def program(name: str) -> str:
    """A linter's path; skips where it is not installed."""
    found = shutil.which(name, path=f"{ROOT / '.venv-infra' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not installed: make test-infra installs it into .venv-infra")
    return found


def shell_scripts() -> list[str]:
    """All of the repository's, the one that CI runs included."""
    found = [path for path in tracked_files() if (text_of(path) or "").startswith(("#!/usr/bin/env bash", "#!/bin/"))]
    assert {"scripts/build-image", "scripts/push-image", ".ci/run"} <= set(found)
    return found


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([program("hadolint"), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run(
        [program("shellcheck"), *shell_scripts()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
