"""CHANGELOG.md keeps the form of Keep a Changelog, https://keepachangelog.com/en/1.1.0/."""

from __future__ import annotations

import re

_RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$")
_KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def malformed(text: str, path: str = "CHANGELOG.md") -> list[str]:
    """What is not in the form: the title, the unreleased section first, releases newest first, the kinds of change."""
    lines = list(enumerate(text.splitlines(), 1))
    problems = []
    if not lines or lines[0][1] != "# Changelog":
        problems.append(f"{path}:1: the title is '# Changelog'")
    sections = [(number, line) for number, line in lines if line.startswith("## ")]
    if not sections or sections[0][1] != "## [Unreleased]":
        problems.append(f"{path}: the first section is '## [Unreleased]'")
    problems += _releases(sections[1:], path)
    problems += [
        f"{path}:{number}: {line!r} is none of {', '.join(_KINDS)}"
        for number, line in lines
        if line.startswith("### ") and line.removeprefix("### ") not in _KINDS
    ]
    return problems


def _releases(sections: list[tuple[int, str]], path: str) -> list[str]:
    problems = []
    newer: tuple[int, ...] | None = None
    for number, line in sections:
        release = _RELEASE.match(line)
        if release is None:
            problems.append(f"{path}:{number}: a release is headed '## [1.2.3] - 2030-12-31'")
            continue
        version = tuple(int(part) for part in release[1].split("."))
        if newer is not None and version >= newer:
            problems.append(f"{path}:{number}: releases stand newest first")
        newer = version
    return problems
