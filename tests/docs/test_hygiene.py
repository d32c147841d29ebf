from __future__ import annotations

import pytest

from scripts.docs import hygiene

# Put together here, so that this file does not hold what it forbids.
SLASH = "/"
DOT = "."


@pytest.mark.parametrize(
    "line",
    [
        f"cd {SLASH}root/project",
        f'path = "{SLASH}home/someone/x"',
        f"see {SLASH}work/x",
        f"{SLASH}Users/someone/x",
        f"index = https:{SLASH}{SLASH}pypi{DOT}org/simple",
        f"files{DOT}pythonhosted{DOT}org",
    ],
)
def test_what_belongs_to_one_machine_is_found(line: str) -> None:
    (problem,) = hygiene.machine_traces(f"fine\n{line}\n", "a.txt")
    assert problem.startswith("a.txt:2: ")


@pytest.mark.parametrize(
    "line",
    ["network/root/x", "https://example.com/work/x", "the /work of others", "$HOME/root/x", "tests/home/someone/x"],
)
def test_what_only_looks_like_it_is_let_pass(line: str) -> None:
    assert hygiene.machine_traces(line, "a.txt") == []
