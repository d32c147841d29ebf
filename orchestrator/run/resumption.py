"""Whether a run can be gone on with, and with which settings.

What a run does was decided when it began and stands in its metrics file; how this machine reaches AWS, and where it
keeps its files, is told anew. A setting that was given and says otherwise than the run is refused, not ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator.report import metrics_file
from orchestrator.report.metrics_file import MetricsFile, MetricsFileDamaged
from orchestrator.run import plan
from orchestrator.run.history import History
from orchestrator.run.lines import Event
from stepbench import configuration
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.settings import Settings, named, of_values, variable_of

_OF_CHANNELS = ("steps_queue_url", "results_queue_url", "lambda_function")


def settings_for(file: MetricsFile, past: History, given: Settings, flags: Collection[str]) -> Settings:
    """`given`, with the run's own in all that decides what a run does. `flags`: variables that were given as flags.

    Raises UsageError for each setting that contradicts the run, EnvironmentRefused where nothing is left to go on with.
    """
    recorded = {name: value for name, value in file.run.settings.items() if value is not None}
    if "ORCH_BUCKET" not in recorded:
        raise EnvironmentRefused(
            f"run {file.run.run_id} cannot be resumed: its payloads were on the embedded stack of its "
            f"orchestrator and ended with it; what was measured is in {file.path}. Runs on `python -m orchestrator "
            "local`, or on AWS, can be"
        )
    if past.first_payload is None:
        raise EnvironmentRefused(
            f"run {file.run.run_id} cannot be resumed: it ended before its first payload was in S3, so nothing was "
            "sent; start it again"
        )
    if file.run.environment == "embedded":
        _refuse_another_stack(file, given)
    if problems := _contradictions(file, given, flags, plan.DECIDED_BY):
        raise UsageError(problems)
    names = (*plan.DECIDED_BY, "metrics_sync_seconds", "metrics_fsync")
    then = _deciding(file, {variable_of(name): recorded.get(variable_of(name), "") for name in names})
    kept = {name: getattr(then, name) for name in names}
    if given.metrics_sync_seconds:  # never 0 again: once a run has a lease, nobody goes on with it without
        kept["metrics_sync_seconds"] = given.metrics_sync_seconds
    if "metrics_fsync" in given.model_fields_set:
        kept["metrics_fsync"] = given.metrics_fsync
    return given.model_copy(update=kept)


def refuse_flags(file: MetricsFile, given: Settings, flags: Collection[str]) -> None:
    """Of a run that is not gone on with. Raises UsageError for each flag that contradicts it.

    What else is configured may have changed since, and is for the runs to come.
    """
    named_now = [name for name in plan.DECIDED_BY if variable_of(name) in flags]
    if problems := _contradictions(file, given, flags, named_now):
        raise UsageError(problems)


def _refuse_another_stack(file: MetricsFile, given: Settings) -> None:
    """Each has the same names for other queues and payloads, and a run would wait there for what will never come."""
    queues = file.run.plan.results_queue_url is not None
    variable = "AWS_ENDPOINT_URL_SQS" if queues else "AWS_ENDPOINT_URL_S3"
    then = file.run.settings.get(variable) or file.run.settings.get("AWS_ENDPOINT_URL")
    now = (given.sqs_endpoint_url if queues else given.s3_endpoint_url) or given.endpoint_url
    if now != then:
        raise UsageError(
            f"run {file.run.run_id} was on the emulated stack at {then}, and {now or 'none'} is configured: if that "
            "stack has ended, its queues and payloads went with it and there is nothing to resume from; else "
            f"{named('sqs_endpoint_url')} and {named('s3_endpoint_url')} name it"
        )


def obstacle(path: Path) -> str | None:
    """Why a run cannot be resumed from its metrics file, by what stands at its begin; null where nothing is in the way.

    Raises nothing: it is asked when something else has gone wrong.
    """
    try:
        with path.open("rb") as file:
            lines = [metrics_file.parse(line) for line in islice(file, 2)]
    except OSError as error:
        return f"its metrics file cannot be read: {error.strerror}"
    except ValueError:
        return "its metrics file is damaged; put back what it was, or a copy of it"
    if not lines:
        return "its metrics file is empty; put back what it was, or a copy of it"
    if any(isinstance(line, Event) and line.event == "first_payload" for line in lines):
        return None
    return "its first payload was not in S3 yet, so nothing was sent"


def _deciding(file: MetricsFile, values: Mapping[str, Any]) -> Settings:
    try:
        return of_values(values)
    except ValidationError as error:
        variable = str(error.errors()[0]["loc"][0])
        raise MetricsFileDamaged(
            f"{file.path} line 1 has a setting that no run can have: {variable}={values.get(variable)}"
        ) from error


def _contradictions(file: MetricsFile, given: Settings, flags: Collection[str], names: Collection[str]) -> list[str]:
    now, then = configuration.in_force(given), file.run.settings
    unused = {name for name in _OF_CHANNELS if getattr(file.run.plan, name) is None}  # of no matter to such a run
    told = [name for name in names if name in given.model_fields_set - unused]
    if "steps_queue_url" in told and _is_of_another_fleet(given, then, flags):
        told.remove("steps_queue_url")
    by = {name: named("fleet" if name == "steps_queue_url" and given.fleet else name) for name in told}
    return [
        f"{by[name]}: {now[variable]} contradicts run {file.run.run_id}, which has "
        f"{then.get(variable, 'another default')}; set it to that, or not at all"
        for name in told
        if now[variable := variable_of(name)] != then.get(variable)
    ]


def _is_of_another_fleet(given: Settings, then: Mapping[str, Any], flags: Collection[str]) -> bool:
    """Whether the run has a fleet that is known, and the steps queue that is set is that of a stack's default one."""
    variable = variable_of("steps_queue_url")
    known = [fleet.steps_queue_url for fleet in (given.fleets or {}).values()]
    return given.fleet is None and variable not in flags and {given.steps_queue_url, then.get(variable)} <= set(known)
