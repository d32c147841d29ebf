"""What was named on the command line: metrics files, each with its case, and the verdicts of an experiment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.experiment import judging, reading
from orchestrator.experiment.reading import Experiment
from orchestrator.experiment.result import Result
from orchestrator.report import gather, likeness, metrics_file
from orchestrator.report.locate import NAME_PATTERN
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import in_statistics
from stepbench.errors import UsageError
from stepbench.samples import Sample

ALWAYS_NAMED = ("serializer", "compression")


@dataclass(frozen=True)
class Run:
    """One metrics file, and where it belongs."""

    case: str
    round: int
    file: MetricsFile
    counts: bool
    """False for warm-up rounds and for runs that an experiment calls failed: they are shown, and in no statistic."""

    def used(self) -> list[Sample]:
        """The samples that the statistics are over."""
        return in_statistics(self.file.samples)[0] if self.counts else []


@dataclass(frozen=True)
class Material:
    """All that a report is made from."""

    runs: tuple[Run, ...]
    case_names: tuple[str, ...]
    """An experiment's planned ones, those without a run among them, in its own order."""
    problems: tuple[str, ...]
    """A sentence for each file that could not be read."""
    experiment: Experiment | None = None
    result: Result | None = None

    @property
    def files(self) -> list[MetricsFile]:
        return [run.file for run in self.runs]

    def of_case(self, name: str) -> list[Run]:
        """Runs in the statistics of a case."""
        return [run for run in self.runs if run.case == name and run.counts]

    def used(self, case: str) -> list[Sample]:
        """Samples in the statistics of a case, in the order of its rounds."""
        return [sample for run in self.of_case(case) for sample in run.used()]


def read(metrics_dir: Path, targets: Sequence[str]) -> Material:
    """Of files, run ids, folders of metrics files and folders of experiments; of none: the newest run.

    Raises UsageError where nothing can be read: with a sentence for each thing that cannot.
    """
    folders = [Path(target) for target in targets if Path(target).is_dir()]
    if len(targets) == 1 and folders and reading.is_experiment(folders[0]):
        return of_experiment(reading.read(folders[0]))
    named = [target for target in targets if Path(target) not in folders]
    files = gather.gather(metrics_dir, named) if named or not folders else []
    problems: list[str] = []
    for folder in folders:
        files += _in_folder(folder, problems)
    return of_files(_each_once(files), problems)


def of_experiment(experiment: Experiment) -> Material:
    """The runs that have ended, and the verdicts about them."""
    runs = tuple(
        Run(run.end.case, run.end.round, run.file, counts=run.is_measured)
        for run in experiment.runs
        if run.file is not None
    )
    names = tuple(case.name for case in experiment.plan.cases)
    return Material(runs, names, experiment.problems, experiment, judging.judged(experiment))


def of_files(files: Sequence[MetricsFile], problems: Sequence[str] = ()) -> Material:
    """Plain runs: those with the same choices are rounds of one case."""
    names = _names(files)
    rounds: dict[str, int] = defaultdict(int)
    runs = []
    for file in files:
        name = names[file.run.run_id]
        rounds[name] += 1
        runs.append(Run(name, rounds[name], file, counts=True))
    return Material(tuple(runs), tuple(dict.fromkeys(names.values())), tuple(problems))


def _in_folder(folder: Path, problems: list[str]) -> Iterator[MetricsFile]:
    paths = sorted(path for path in folder.glob(NAME_PATTERN) if path.is_file())
    if not paths:
        raise UsageError(f"{folder} holds no metrics file; name the folder of an experiment or of metrics files")
    found: list[MetricsFile] = []
    wrong: list[str] = []
    for path in paths:
        try:
            found.append(metrics_file.read(path))
        except UsageError as error:
            wrong += error.problems
    if not found:
        raise UsageError(wrong)
    problems += wrong
    yield from found


def _each_once(files: Sequence[MetricsFile]) -> list[MetricsFile]:
    """By run: a file may be named, and be in a folder that is."""
    return list({file.run.run_id: file for file in files}.values())


def _names(files: Sequence[MetricsFile]) -> Mapping[str, str]:
    """By run id: what its plan chose, as far as it tells cases apart."""
    choices = {file.run.run_id: likeness.choices(file) for file in files}
    differ = [name for name in likeness.differing(files) if name not in ALWAYS_NAMED]
    return {
        run_id: " ".join(
            filter(
                None,
                (
                    *(str(chosen[name]) for name in ALWAYS_NAMED),
                    *(_named(name, chosen.get(name)) for name in differ),
                ),
            )
        )
        for run_id, chosen in choices.items()
    }


def _named(name: str, value: object) -> str:
    if value is None:
        return f"{name} not set"
    if isinstance(value, float):
        return f"{name}={value:g}"
    return str(value) if isinstance(value, str) and name not in ("payload_file", "aws_region") else f"{name}={value}"
