"""Begins an experiment or goes on with one, and sees it through to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.experiment import manifest, manifest_file, places, planning, reading
from orchestrator.experiment.cases import ReadyCase
from orchestrator.experiment.conduct import Conduct, Measured, Watcher
from orchestrator.experiment.lines import ExperimentEvent, ExperimentLine, ManifestLine
from orchestrator.experiment.manifest_file import ManifestFile
from orchestrator.experiment.reading import Experiment
from orchestrator.experiment.running import Hands
from orchestrator.report.doubts import plural
from orchestrator.report.pace import Progress
from orchestrator.run import site
from orchestrator.run.first_payload import Maker
from orchestrator.run.journal import now_text
from stepbench import machine
from stepbench.errors import UsageError
from stepbench.settings import named, variable_of

BUCKET = variable_of("bucket")
NOT_IN_FIGURES = frozenset({"pydantic"})
"""Of the versions that a plan holds: what checks settings and messages, outside every phase."""
BROKEN_OFF = "broken-off"
"""Subfolder for the metrics files of runs that were broken off and are made again."""


@dataclass(frozen=True)
class Underway:
    """An experiment whose manifest is ours to write."""

    folder: Path
    plan: ExperimentLine
    cases: tuple[ReadyCase, ...]
    file: ManifestFile
    lines: list[ManifestLine] = field(default_factory=list)
    measured: Measured = field(default_factory=dict)

    def see_through(self, watcher: Watcher, show: Callable[[Progress], None], say: Callable[[str], None]) -> None:
        """Raises EnvironmentRefused for what no run can do without, and KeyboardInterrupt."""
        surroundings = site.child_environment(self.cases[0].settings)
        with places.opened([case.settings for case in self.cases]) as brought_up, Maker(surroundings) as payloads:
            conduct = Conduct(self.plan, self.lines, self.measured, self.cases, self.file, watcher)
            conduct.to_the_end(Hands(self.folder, brought_up, payloads, say, show))


@contextmanager
def begun(plan: ExperimentLine, metrics_dir: Path) -> Iterator[Underway]:
    """Raises UsageError where the folder cannot be made, EnvironmentRefused where it has no room."""
    folder = planning.folder_of(metrics_dir, plan)
    file = manifest_file.begin(folder, plan)
    try:
        yield Underway(folder, plan, planning.cases_of(plan, folder), file)
    finally:
        file.close()


@contextmanager
def taken_up(folder: Path, say: Callable[[str], None]) -> Iterator[Underway]:
    """Raises UsageError for what is no experiment, one that is being run, and one of another machine or version."""
    reading.read(folder)  # told in its words, before anything is locked
    file = ManifestFile(folder / manifest.NAME, again=True)
    try:
        experiment = reading.read(folder)  # again: nobody else writes it now
        _refuse_another_machine(experiment.plan, folder)
        _refuse_other_versions(experiment.plan, folder)
        cases = planning.cases_of(experiment.plan, folder)
        file.cut(experiment.manifest.whole_bytes)
        for sentence in what_stays(folder):
            say(sentence)
        if moved := _put_aside(folder, _broken_off(experiment)):
            say(f"{plural(moved, 'run')} that was broken off is made again; its file is in {folder / BROKEN_OFF}")
        resumed = ExperimentEvent(event="resumed", at=now_text())
        file.append([resumed])
        measured = {case: dict(rounds) for case, rounds in experiment.measured.items()}
        yield Underway(folder, experiment.plan, cases, file, [*experiment.manifest.lines, resumed], measured)
    finally:
        file.close()


def newest(metrics_dir: Path) -> Path:
    """The folder of the newest experiment. Raises UsageError where there is none."""
    found = sorted(metrics_dir.glob(f"{manifest.FOLDER_PREFIX}*/{manifest.NAME}"))
    if not found:
        raise UsageError(f"there is no experiment in {metrics_dir}; name its folder, or set --metrics-dir")
    return found[-1].parent


def what_stays(folder: Path) -> Iterator[str]:
    """A sentence for each run that was broken off and has left something in a configured bucket, or beside it."""
    experiment = reading.read(folder)
    if experiment.plan.settings.get(BUCKET) is None:
        return
    for path in _broken_off(experiment):
        run_id = _run_id(path)
        yield (
            f"Payloads, results queue and lease of the run that was broken off may stay in AWS; once its steps have "
            f"expired ({named('step_expiry_seconds')}) this removes them: python -m orchestrator cleanup {run_id}"
        )


def _broken_off(experiment: Experiment) -> list[Path]:
    """Metrics files that no line of the manifest is about: their runs did not come to their ends."""
    ended = {run.end.run_id for run in experiment.runs}
    return [path for path in sorted(experiment.folder.glob("metrics-*.jsonl")) if _run_id(path) not in ended]


def _run_id(path: Path) -> str:
    return path.stem.removeprefix("metrics-")


def _put_aside(folder: Path, left: Sequence[Path]) -> int:
    for path in left:
        (folder / BROKEN_OFF).mkdir(exist_ok=True)
        path.rename(folder / BROKEN_OFF / path.name)
    return len(left)


def _refuse_another_machine(plan: ExperimentLine, folder: Path) -> None:
    """Rounds of two machines are no rounds of one experiment."""
    now, then = machine.facts(), plan.machine
    changed = [name for name in ("processor", "cores") if then.get(name) != now[name]]
    if plan.environment == "embedded" and changed:
        told = ", ".join(f"{name} {then.get(name)} then, {now[name]} now" for name in changed)
        raise UsageError(f"{folder}: its rounds were measured on another machine ({told}); begin a new experiment")


def _refuse_other_versions(plan: ExperimentLine, folder: Path) -> None:
    """Nor are rounds of two versions: the new one's would pass for the case's own spread."""
    now, then = machine.versions(), plan.versions
    changed = [name for name in {**then, **now} if name not in NOT_IN_FIGURES and then.get(name) != now.get(name)]
    if changed:
        told = ", ".join(f"{name} {then.get(name, 'none')} then, {now.get(name, 'none')} now" for name in changed)
        raise UsageError(
            f"{folder}: its rounds were measured with other versions ({told}); install those again, or begin a new "
            "experiment"
        )
