"""The tests that docs/promises.md calls proof are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "promises.md").read_text())


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_as_proof_exists(path: str, name: str) -> None:
    functions = [
        node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)
    ]
    assert name in functions


def test_every_promise_has_a_proof() -> None:
    promises = re.split(r"^## ", (ROOT / "docs" / "promises.md").read_text(), flags=re.MULTILINE)
    numbered = [promise for promise in promises if promise[0].isdigit()]
    assert len(numbered) == 9
    assert all("::test_" in promise for promise in numbered)
