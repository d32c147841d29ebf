"""What was named to be costed: metrics files, run ids, and folders of metrics files or of experiments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.experiment import reading
from orchestrator.report.gather import gather
from orchestrator.report.locate import NAME_PATTERN
from orchestrator.report.metrics_file import MetricsFile
from stepbench.errors import UsageError


def files_of(metrics_dir: Path, targets: Sequence[str]) -> list[MetricsFile]:
    """Each run once; without a target, the newest run. Raises UsageError for what is missing or damaged."""
    folders = [target for target in targets if Path(target).is_dir()]
    named = [target for target in targets if target not in folders]
    files = gather(metrics_dir, named) if named or not folders else []
    for folder in folders:
        files += _in_folder(metrics_dir, Path(folder))
    return list({file.run.run_id: file for file in files}.values())


def _in_folder(metrics_dir: Path, folder: Path) -> Iterator[MetricsFile]:
    """Of an experiment those that its figures are over, without warm-up rounds and failed runs."""
    if reading.is_experiment(folder):
        found = reading.read(folder)
        if found.problems:
            raise UsageError(list(found.problems))
        files = [run.file for run in found.runs if run.is_measured and run.file is not None]
    else:
        files = (
            gather(metrics_dir, paths) if (paths := [str(path) for path in sorted(folder.glob(NAME_PATTERN))]) else []
        )
    if not files:
        raise UsageError(f"{folder} holds no run to cost; name the folder of an experiment or of metrics files")
    yield from files
