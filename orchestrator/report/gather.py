"""Reads all metrics files that a person named, and says at once what is wrong with any of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orchestrator.report.locate import find, path_of
from orchestrator.report.metrics_file import MetricsFile, read
from orchestrator.run.plan import RUN_ID
from stepbench.errors import UsageError


def gather(metrics_dir: Path, targets: Sequence[str]) -> list[MetricsFile]:
    """The files of `targets` (run ids or files; none: the newest), each once, in the order in which they were named.

    Raises UsageError with a sentence for each that is missing or damaged, and for a run that is named twice by
    different files: its samples would count twice.
    """
    files: dict[Path, MetricsFile] = {}
    problems: list[str] = []
    for target in targets or (None,):
        try:
            path = find(metrics_dir, target)
            if path.resolve() not in files:
                files[path.resolve()] = read(path)
        except UsageError as error:
            problems += error.problems
            problems += _elsewhere(metrics_dir, target)
    problems += _named_twice(list(files.values()))
    if problems:
        raise UsageError(problems)
    return list(files.values())


def _elsewhere(metrics_dir: Path, target: str | None) -> list[str]:
    """How to come by a run that is not here: a report needs nothing but files."""
    if target is None or not re.fullmatch(RUN_ID, target) or path_of(metrics_dir, target).exists():
        return []
    sentence = (
        f"where a copy of it is in the bucket, python -m orchestrator tail {target} reads that, and resume {target} "
        "goes on from it"
    )
    return [sentence]


def _named_twice(files: list[MetricsFile]) -> list[str]:
    seen: dict[str, MetricsFile] = {}
    twice = []
    for file in files:
        other = seen.setdefault(file.run.run_id, file)
        if other is not file:
            twice.append(f"{other.path} and {file.path} are both of run {file.run.run_id}; name one of them")
    return twice
