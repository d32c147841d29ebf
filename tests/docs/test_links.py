from __future__ import annotations

import pytest

from scripts.docs import links

TREE = {"README.md": "# Top\n", "docs/flow.md": "# The flow\n", "worker/loop.py": ""}


@pytest.mark.parametrize(
    "target",
    ["docs/flow.md", "docs/flow.md#the-flow", "#top", "worker", "worker/", "./worker/loop.py", "https://example.com/x"],
)
def test_a_link_to_what_is_there_is_fine(target: str) -> None:
    assert links.broken_links(f"# Top\n[x]({target})", "README.md", TREE) == []


def test_a_link_is_followed_from_the_folder_of_its_document() -> None:
    assert links.broken_links("[x](../README.md)", "docs/flow.md", TREE) == []
    assert links.broken_links("[x](README.md)", "docs/flow.md", TREE) != []


@pytest.mark.parametrize("target", ["docs/none.md", "docs/flow.md#none", "#none", "work"])
def test_a_link_to_what_is_not_there_is_named_with_its_line(target: str) -> None:
    (problem,) = links.broken_links(f"\n[x]({target})", "README.md", TREE)
    assert problem.startswith("README.md:2: ")


def test_paths_of_ours_in_backticks_must_exist() -> None:
    document = "`worker/loop.py` `worker/` `worker/gone.py` `other/thing.py` `worker/<name>.py`"
    assert links.missing_paths(document, "README.md", TREE) == ["README.md:1: there is no worker/gone.py"]


def test_paths_of_files_to_come_may_stand_in_fenced_blocks() -> None:
    assert links.missing_paths("```python\n# `worker/new.py`\n```", "README.md", TREE) == []
