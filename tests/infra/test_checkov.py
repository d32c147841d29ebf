"""checkov finds nothing in infra/ but what is skipped with a reason, beside the resource that it is about."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.docs.tree import ROOT
from tests.infra.terraform import INFRA

pytestmark = pytest.mark.infra

SKIP = re.compile(r"#checkov:skip=(\w+):(.*)")


def checkov() -> str:
    found = shutil.which("checkov", path=f"{ROOT / '.venv-infra' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip("checkov is not installed: make test-infra installs it into .venv-infra")
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """checkov's own report of a copy without what terraform fetched."""
    folder = tmp_path_factory.mktemp("checkov") / "infra"
    shutil.copytree(INFRA, folder, ignore=shutil.ignore_patterns(".terraform*"))
    command = [checkov(), "--directory", str(folder), "--framework", "terraform", "--output", "json", "--soft-fail"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_nothing_is_found(report: dict[str, Any]) -> None:
    failed = report["results"]["failed_checks"]
    assert [(check["check_id"], check["file_path"], check["resource"]) for check in failed] == []
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100


def test_every_skip_has_a_reason_and_skips_something(report: dict[str, Any]) -> None:
    skips = [(path, *found) for path in sources() for found in SKIP.findall(path.read_text(encoding="utf-8"))]
    assert skips
    assert all(len(reason.split()) > 4 for _, _, reason in skips)
    skipped = {check["check_id"] for check in report["results"]["skipped_checks"]}
    assert {check for _, check, _ in skips} == skipped


def sources() -> list[Path]:
    return [path for path in INFRA.rglob("*.tf") if ".terraform" not in path.parts]
