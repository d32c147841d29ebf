from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {match[0] for text in requirements if (match := re.match(r"[a-z0-9_-]+", text))}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_nothing_says_where_to_fetch_it(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|file:", text)


@pytest.mark.parametrize("lock", ["core.txt", "local.txt", "build.txt"])
def test_what_is_installed_is_what_is_tested(lock: str) -> None:
    tested = pins("dev.txt")
    assert {name: tested.get(name) for name in pins(lock)} == pins(lock)


def test_a_worker_installs_what_it_imports_and_no_emulator() -> None:
    core = set(pins("core.txt"))
    assert names(PROJECT["dependencies"]) <= core
    assert not core & {"moto", "flask", "werkzeug", "pytest", "pandas"}


def test_the_emulators_bring_only_what_sqs_and_s3_need() -> None:
    local = set(pins("local.txt"))
    assert names(PROJECT["optional-dependencies"]["local"]) <= local
    assert not local & {"docker", "cfn-lint", "openapi-spec-validator", "graphql-core", "sympy", "joserfc", "pandas"}
