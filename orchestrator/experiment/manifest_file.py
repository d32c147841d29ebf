"""Writes `experiment.jsonl`, as a metrics file is written: a line when it is known, and locked while somebody does."""

from __future__ import annotations

from pathlib import Path

from orchestrator.experiment.lines import ExperimentLine
from orchestrator.experiment.manifest import NAME
from orchestrator.run.journal import Journal, make_folder


class ManifestFile(Journal):
    """The manifest as it is written."""

    busy = "is being written by another process: its experiment is still going on"


def begin(folder: Path, plan: ExperimentLine) -> ManifestFile:
    """A new experiment's folder and manifest. Raises UsageError, or EnvironmentRefused where there is no room."""
    make_folder(folder)
    file = ManifestFile(folder / NAME)
    try:
        file.append([plan])
    except BaseException:
        file.path.unlink()  # a folder without a plan is no experiment's
        raise
    return file
