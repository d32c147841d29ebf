"""What a look found."""

from __future__ import annotations

from typing import Literal

from orchestrator.report.summary import Spread
from stepbench.aws_errors import sentence_for
from stepbench.errors import StepbenchError
from stepbench.iam_grants import Role
from stepbench.probes import ProbeAnswer
from stepbench.samples import Frozen
from stepbench.settings import Settings

ROLE: Role = "operator"
"""Whose policy allows all of the looks."""

State = Literal["ok", "note", "wrong"]


class Check(Frozen):
    """One look. `note`: no run fails because of it, or it could not be seen from here."""

    name: str
    state: State
    found: str
    mend: str | None = None
    """The flag, variable, right or command that mends it."""


class AnsweringWorker(Frozen):
    """A worker that answered a probe, by its latest answer. Without one: the error that it answered with."""

    worker: str
    host: str
    answer: ProbeAnswer | None
    error: str | None


class Diagnosis(Frozen):
    """All of it, as `--json` prints it."""

    ok: bool
    """Nothing is wrong."""
    checks: tuple[Check, ...]
    round_trips_ns: dict[str, Spread]
    """`sqs` and `s3`, as far as they answered."""
    workers: tuple[AnsweringWorker, ...]


def ok(name: str, found: str) -> Check:
    return Check(name=name, state="ok", found=found)


def note(name: str, found: str, mend: str | None = None) -> Check:
    return Check(name=name, state="note", found=found, mend=mend)


def wrong(name: str, found: str, mend: str | None = None) -> Check:
    return Check(name=name, state="wrong", found=found, mend=mend)


def refused(name: str, error: BaseException, settings: Settings) -> Check | None:
    """What stands in the way of a look; null for a bug of ours."""
    sentence = sentence_for(error, ROLE, settings)
    if sentence is None and isinstance(error, StepbenchError):
        sentence = str(error)
    if sentence is None:
        return None
    found, _, mend = sentence.partition("; ")
    return wrong(name, found, mend or None)
