"""An experiment as it is read from its folder: the plan, and its runs with their metrics files.

Needs no AWS and no queue. An experiment that is still going on, or that was broken off, is read as far as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.experiment import figures, manifest
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import WARM_UP_ROUND, Case, ExperimentLine, RunEnd
from orchestrator.experiment.manifest import Manifest
from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile
from stepbench.errors import UsageError


@dataclass(frozen=True)
class ExperimentRun:
    """One run that has ended."""

    end: RunEnd
    file: MetricsFile | None
    """Null for a run that failed before it had one."""
    figures: RunFigures | None
    """Null for a run that failed, and for one without a sample that counts."""

    @property
    def is_measured(self) -> bool:
        """It is of no warm-up round, and has figures."""
        return self.end.round != WARM_UP_ROUND and self.figures is not None


@dataclass(frozen=True)
class Experiment:
    """What a folder holds."""

    folder: Path
    manifest: Manifest
    runs: tuple[ExperimentRun, ...]
    """All that have ended, warm-up runs and failed ones among them, in the order in which they ran."""
    problems: tuple[str, ...]
    """A sentence for each metrics file that cannot be read; its run has no figures."""

    @property
    def plan(self) -> ExperimentLine:
        return self.manifest.plan

    @cached_property
    def measured(self) -> dict[str, dict[int, RunFigures]]:
        """By case (all of them, in the plan's order) and round."""
        found: dict[str, dict[int, RunFigures]] = {case.name: {} for case in self.plan.cases}
        for run in self.runs:
            if run.is_measured and run.figures is not None:
                found[run.end.case][run.end.round] = run.figures
        return found

    def files(self, case: str) -> list[MetricsFile]:
        """Of the runs that are in the statistics of a case."""
        return [run.file for run in self.runs if run.end.case == case and run.is_measured and run.file is not None]

    def settings_of(self, case: Case) -> dict[str, Any]:
        """All settings in force of a case, by variable name."""
        return {**self.plan.settings, **case.settings}


def read(folder: Path) -> Experiment:
    """Raises UsageError for what is no folder of an experiment."""
    found = manifest.read(_manifest_in(folder))
    problems: list[str] = []
    runs = tuple(_runs(folder, found, problems))
    return Experiment(folder, found, runs, tuple(problems))


def is_experiment(path: Path) -> bool:
    return (path / manifest.NAME).is_file()


def _manifest_in(folder: Path) -> Path:
    path = folder / manifest.NAME
    if path.is_file():
        return path
    if not folder.exists():
        raise UsageError(f"there is no folder {folder}; name the folder of an experiment")
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name the folder of an experiment, which holds {manifest.NAME}")
    what = "is empty" if not any(folder.iterdir()) else f"holds no {manifest.NAME}"
    raise UsageError(f"{folder} {what}, so it is no experiment's; name the folder of one, or metrics files")


def _runs(folder: Path, found: Manifest, problems: list[str]) -> Iterator[ExperimentRun]:
    for end in found.ends:
        path = folder / f"metrics-{end.run_id}.jsonl"
        file = _file(path, end, problems)
        yield ExperimentRun(end, file, figures.of(file) if file is not None and end.ok else None)


def _file(path: Path, end: RunEnd, problems: list[str]) -> MetricsFile | None:
    """Null where a failed run has none, and with a sentence where one is missing or damaged."""
    if not end.ok and not path.exists():
        return None
    try:
        return metrics_file.read(path)
    except UsageError as error:
        problems.append(f"round {end.round} of {end.case} has no figures: {error}")
        return None
