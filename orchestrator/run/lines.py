"""The lines of a metrics file: one frozen model for each `kind`, as the journal writes and every report reads them.

`samples` are in `stepbench.samples`, because their first half is the worker's. Wall-clock times (`at`) are for people
alone; nothing is ever computed from them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from orchestrator.run.plan import Plan
from stepbench.messages import PayloadRef
from stepbench.samples import Count, Frozen, Sample

EventName = Literal[
    "first_payload",
    "dispatching",
    "chain_finished",
    "duplicate",
    "lost",
    "expired",
    "foreign",
    "resumed",
    "interrupted",
    "reopened",
    "closing",
]


class RunLine(Frozen):
    """First line: everything that was decided before the run began."""

    kind: Literal["run"] = "run"
    v: Literal[1] = 1
    run_id: str
    started_at: str
    environment: Literal["embedded", "aws"]
    plan: Plan
    settings: dict[str, Any]
    """The settings in force by variable name, without secrets."""
    versions: dict[str, str]
    machine: dict[str, Any]
    sqs_round_trips_ns: tuple[Count, ...] = ()
    """Of a few calls from here to SQS before the run; none on an embedded stack of the run's own."""


class Failure(Frozen):
    """One failed attempt."""

    kind: Literal["failure"] = "failure"
    at: str
    run_id: str
    chain: int
    step: int
    attempt: int
    error_class: str
    message: str
    phase: str | None
    """The phase it happened in; null when it happened in none."""
    retryable: bool
    worker: str | None = None
    sqs_requests: Count | None = None
    """As in a sample."""


class Event(Frozen):
    """Something that happened; which fields are set depends on `event`."""

    kind: Literal["event"] = "event"
    event: EventName
    at: str
    chain: int | None = None
    step: int | None = None
    attempt: int | None = None
    epoch: int | None = None
    output_prefix: str | None = None
    """dispatching: S3 URI under which the execution writes its object."""
    duration_ns: int | None = None
    ok: bool | None = None
    wall_ns: int | None = None
    """chain_finished: first dispatch to last completion received; null where a step was interrupted."""
    message: str | None = None
    sqs_requests: Count | None = None
    """closing, interrupted: what the orchestrator has sent to SQS since it began, or went on with the run."""
    payload: PayloadRef | None = None
    """first_payload: what every chain begins with."""


class SummaryLine(Frozen):
    """Last line of a finished run; made by `orchestrator.report.statistics`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["summary"] = "summary"


Line = RunLine | Sample | Failure | Event | SummaryLine
