"""terraform for tests: where it is, where its AWS provider is, and infra/ ready to be tried in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.docs.tree import ROOT

INFRA = ROOT / "infra"
MIRROR = "registry.terraform.io"
_UNREACHABLE = ("could not connect to", "Failed to query available provider packages", "Failed to install provider")


def program() -> str:
    """Path of terraform. Skips the test where there is none."""
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("terraform is not on PATH: install version 1.9 or newer")
    return found


def plugin_dir() -> Path | None:
    """A filesystem mirror of providers on this machine, if there is one; terraform asks its registry otherwise."""
    return next((folder for folder in _places() if (folder / MIRROR / "hashicorp" / "aws").is_dir()), None)


def _places() -> Iterator[Path]:
    """https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories, and /opt."""
    for variable in ("TF_PLUGIN_DIR", "TF_PLUGIN_CACHE_DIR"):
        if folder := os.environ.get(variable):
            yield Path(folder)
    home = Path.home()
    yield from (home / ".terraform.d" / "plugins", home / ".local" / "share" / "terraform" / "plugins")
    yield from (Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins"))
    yield from sorted(mirror.parent for mirror in Path("/opt").glob(f"*/{MIRROR}"))


def environment(**more: str) -> dict[str, str]:
    """What terraform is started with: nothing of the developer's own, and no questions."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    return mine | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"} | more


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One call of terraform in `folder`, with its output as text."""
    return subprocess.run(
        [program(), *arguments],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_infra(folder: Path) -> Path:
    """infra/ as git would have it, copied to `folder` and initialized there: no state, no values of your own."""
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "terraform.tfvars", "*.auto.tfvars")
    shutil.copytree(INFRA, folder, ignore=lambda at, names: ignored(at, names) if Path(at) == INFRA else set())
    mirror = plugin_dir()
    done = run(folder, "init", "-backend=false", "-no-color", *([f"-plugin-dir={mirror}"] if mirror else []))
    if done.returncode != 0 and mirror is None and any(words in done.stderr for words in _UNREACHABLE):
        pytest.skip(
            "the AWS provider is neither in a mirror on this machine (TF_PLUGIN_DIR) nor to be had from a registry"
        )
    assert done.returncode == 0, done.stderr
    return folder


def lines_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The messages of a call with -json."""
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
