"""What somebody asks to be compared, as it was written: by flags, in a plan or in a matrix. Not validated yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stepbench.errors import UsageError

MOST_REPEATS = 10_000
FEWEST_STABLE_ROUNDS = 5
"""Before it nothing counts as stable: an interval may be narrow by luck."""
DEFAULT_SEED = 1
MOST_SEED = 2**63


@dataclass(frozen=True)
class Wanted:
    """One case."""

    values: Mapping[str, str]
    """What is the case's own, by variable, as it was typed."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where those stand, for what is wrong with them; the flag is meant where there is none."""
    where: str = ""
    """Where the whole case stands; empty for one of a cross product."""
    name: str | None = None

    @property
    def by_name(self) -> bool:
        """It was written down itself, as against a combination that came of a cross product."""
        return bool(self.where)


@dataclass(frozen=True)
class Request:
    """An experiment that is asked for. None: nobody said."""

    wanted: tuple[Wanted, ...]
    base: Mapping[str, str]
    """Settings of all cases, by variable, unless a case has its own."""
    base_places: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None
    repeats: int | None = None
    seed: int | None = None
    until_stable: float | None = None
    to_see: float | None = None
    max_minutes: float | None = None
    problems: tuple[str, ...] = ()
    """What is wrong with how it was written. Told by `cases.resolve`, with what is wrong with the settings."""

    def overridden(
        self,
        *,
        baseline: str | None,
        repeats: int | None,
        seed: int | None,
        until_stable: float | None,
        to_see: float | None,
        max_minutes: float | None,
    ) -> Request:
        """With what was given as flags in place of what a file says."""
        return replace(
            self,
            baseline=self.baseline if baseline is None else baseline,
            repeats=self.repeats if repeats is None else repeats,
            seed=self.seed if seed is None else seed,
            until_stable=self.until_stable if until_stable is None else until_stable,
            to_see=self.to_see if to_see is None else to_see,
            max_minutes=self.max_minutes if max_minutes is None else max_minutes,
        )


def share_of(text: str) -> float:
    """`5%`, `5 %` or `0.05` → 0.05. Raises UsageError for what is no share above 0 and up to 1."""
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if number != text.strip() else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:  # NaN neither
        raise UsageError(f"{text!r} is no share such as 5%")
    return share


def as_typed(share: float) -> str:
    """0.05 → `5%`."""
    return f"{share * 100:g}%"


def minutes_of(text: str) -> float:
    """Raises UsageError for what is no number above 0."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise UsageError(f"{text!r} is no number of minutes above 0")
    return minutes
