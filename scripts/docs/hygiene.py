"""Nothing in the repository belongs to one machine: no path of one, no address that pip should be left to choose."""

from __future__ import annotations

import re

_MACHINE_PATH = re.compile(r"(?<![\w.~%$}/-])/(?:work|root|Users|home/[\w.-]+)/[\w.]")
_REGISTRY = re.compile(r"\b(?:files\.)?(?:pypi|pythonhosted)\.org\b|\bregistry\.npmjs\.|\bdeb\.debian\.org\b")


def machine_traces(text: str, path: str) -> list[str]:
    """Lines of `text` with a path of one machine or the host of a package registry."""
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if found := _MACHINE_PATH.search(line):
            problems.append(f"{path}:{number}: a path of one machine, at {found[0]!r}")
        if found := _REGISTRY.search(line):
            problems.append(f"{path}:{number}: the host of a package registry, {found[0]}")
    return problems
