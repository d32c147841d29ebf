"""The frozen plan of an experiment: of cases that were resolved, and back to them when it is gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from orchestrator.experiment.cases import ReadyCase, Resolved
from orchestrator.experiment.lines import Case, ExperimentLine
from orchestrator.experiment.manifest import FOLDER_PREFIX
from orchestrator.experiment.names import differing
from orchestrator.experiment.request import DEFAULT_SEED, Request
from orchestrator.run import plan as run_plan
from orchestrator.run import site
from orchestrator.run.journal import now_text
from orchestrator.verdicts import MOST_ROUNDS, TO_SEE
from stepbench import configuration, machine
from stepbench.errors import UsageError
from stepbench.settings import Settings, of_values, variable_of

METRICS_DIR = variable_of("metrics_dir")


def new(resolved: Resolved, request: Request) -> ExperimentLine:
    """The plan of an experiment that begins now."""
    values = [configuration.in_force(case.settings) for case in resolved.cases]
    own = differing(values)
    return ExperimentLine(
        experiment_id=run_plan.new_run_id(run_plan.utc_now()),
        started_at=now_text(),
        environment=environment_of(resolved.cases[0].settings),
        cases=tuple(
            Case(name=case.name, settings={name: all_values[name] for name in own})
            for case, all_values in zip(resolved.cases, values, strict=True)
        ),
        baseline=resolved.baseline,
        settings={name: value for name, value in values[0].items() if name not in {*own, METRICS_DIR}},
        repeats=request.repeats or MOST_ROUNDS,
        seed=DEFAULT_SEED if request.seed is None else request.seed,
        until_stable=request.until_stable,
        to_see=_to_see(request),
        max_minutes=request.max_minutes,
        skipped=resolved.skipped,
        versions=machine.versions(),
        machine=dict(machine.facts()),
    )


def _to_see(request: Request) -> float | None:
    """Null where it was said in another way how many rounds are wanted."""
    if request.to_see is None and request.repeats is None and request.until_stable is None:
        return TO_SEE
    return request.to_see


def environment_of(settings: Settings) -> Literal["embedded", "aws"]:
    return "embedded" if settings.embedded else site.label_of(settings)


def folder_of(metrics_dir: Path, plan: ExperimentLine) -> Path:
    return metrics_dir / f"{FOLDER_PREFIX}{plan.experiment_id}"


def cases_of(plan: ExperimentLine, folder: Path) -> tuple[ReadyCase, ...]:
    """The cases as they were, whatever this machine is set to now; their metrics files go into `folder`.

    Raises UsageError for settings that no run can have: a manifest that was edited, or a newer version's.
    """
    return tuple(ReadyCase(case.name, _settings({**plan.settings, **case.settings}, folder)) for case in plan.cases)


def _settings(values: dict[str, Any], folder: Path) -> Settings:
    told = {name: "" if value is None else value for name, value in values.items()}
    try:
        return of_values({**told, METRICS_DIR: str(folder)})
    except ValidationError as error:
        variable = str(error.errors()[0]["loc"][0])
        raise UsageError(
            f"{folder}: its experiment has a setting that no run can have: {variable}={told.get(variable)}; go on with "
            "it with the version that began it"
        ) from error
