"""What a trace is made of, before it has a format: spans on tracks, marks, and arrows from one track to another.

All times are nanoseconds since the trace's zero, which is a time of day (`Trace.zero_unix_ns`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["run", "chain", "step", "attempt", "send", "wait", "execution", "phase"]
Value = str | int | float | bool
Path = tuple[str, ...]
"""Where a span hangs: the names from the run down to it, each of its ancestors a beginning of it."""
RUN: Path = ("run",)


@dataclass(frozen=True, slots=True)
class Track:
    """A line of a time line that one thing at a time happens on, and the group that it is shown in."""

    group: str
    name: str


ORCHESTRATOR = Track("orchestrator", "run")
CHAINS = "chains"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a span is one of something that failed."""

    error_class: str
    message: str


@dataclass(frozen=True, slots=True)
class Span:
    path: Path
    name: str
    kind: Kind
    track: Track
    begin_ns: int
    end_ns: int
    attributes: Mapping[str, Value] = field(default_factory=dict)
    also: Track | None = None
    """Another track on which the same time is shown."""
    problem: Problem | None = None
    follows: Path | None = None
    """The span that caused this one from another process."""
    unfinished: bool = False
    """Nothing tells of its end: it is drawn to the end of what the file tells."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment, within the span of `path`."""

    path: Path
    name: str
    track: Track
    at_ns: int
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a step's dispatch over its execution to its completion."""

    dispatched_at_ns: int
    begun_at_ns: int
    back_at_ns: int
    chain: Track
    executor: Track


@dataclass(frozen=True, slots=True)
class Trace:
    run_id: str
    zero_unix_ns: int
    label: str
    """What the figures describe."""
    spans: list[Span]
    """Parents before their children, and on each track in order of their beginning."""
    marks: list[Mark]
    arrows: list[Arrow]
    orchestrator: Mapping[str, Value]
    """Attributes of the process."""
    workers: Mapping[str, Mapping[str, Value]]
    """The same for each worker, by its name."""
