"""The lines of `experiment.jsonl`: one frozen model for each `kind`. The first is the experiment's plan, whole.

Wall-clock times (`at`) are for people alone.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stepbench.samples import Frozen

WARM_UP_ROUND = 0
"""Its runs are in no figure; measured rounds begin at 1."""


class Case(Frozen):
    """One of the things that are compared."""

    name: str
    settings: dict[str, Any]
    """By variable name, what not all cases have the same; as plain data."""


class ExperimentLine(Frozen):
    """First line: everything that was decided before the first run began."""

    kind: Literal["experiment"] = "experiment"
    v: Literal[1] = 1
    experiment_id: str
    started_at: str
    environment: Literal["embedded", "aws"]
    cases: tuple[Case, ...] = Field(min_length=1)
    baseline: str
    settings: dict[str, Any]
    """By variable name, what all cases have the same; with a case's own they are all settings in force, no secrets."""
    repeats: int = Field(ge=1)
    """Measured rounds at most."""
    seed: int
    until_stable: float | None = Field(default=None, gt=0, le=1)
    """A width of every case's interval, as a share of its median, that is narrow enough; null: all repeats are run."""
    to_see: float | None = Field(default=None, gt=0, le=1)
    """A difference, as a share of the baseline, that is to be seen; null: all repeats are run."""
    max_minutes: float | None = Field(default=None, gt=0)
    skipped: tuple[str, ...] = ()
    """A sentence for each combination that was left out."""
    versions: dict[str, str]
    machine: dict[str, Any]

    @property
    def may_end_early(self) -> bool:
        """`repeats` are what it has at most."""
        return (self.to_see, self.until_stable, self.max_minutes) != (None, None, None)

    def case(self, name: str) -> Case:
        """The case that is so called."""
        return next(case for case in self.cases if case.name == name)


class RunEnd(Frozen):
    """One run has ended, well or not."""

    kind: Literal["run"] = "run"
    at: str
    round: int = Field(ge=WARM_UP_ROUND)
    case: str
    run_id: str
    ok: bool
    error: str | None = None
    """Why it failed, as a sentence."""
    seconds: float
    """All of it, from the making of its first payload to its last line; for estimates, and no figure."""
    steal_share: float | None = None
    """Of the machine's CPU time meanwhile, what the hypervisor gave to others; null where the kernel does not tell."""
    load_1min: float | None = None
    """The machine's load average when the run began."""


EventName = Literal["interrupted", "resumed", "left_out", "stable", "seen", "alone", "limit", "finished"]
EARLY_ENDS = frozenset({"stable", "seen", "alone", "limit"})
"""Before all repeats were run."""


class ExperimentEvent(Frozen):
    """Something else that happened."""

    kind: Literal["event"] = "event"
    event: EventName
    at: str
    case: str | None = None
    message: str | None = None


ManifestLine = ExperimentLine | RunEnd | ExperimentEvent
