"""Step kinds: what an executor does for a step message, one file each.

Every file defines `prepare(message, tools)`, which imports and makes what the step needs and raises for what is not to
be had, and `run(prepared, timer)`, which is timed and gives an Outcome; a probe gives its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from stepbench import registry
from stepbench.messages import PayloadRef, StepMessage
from stepbench.probes import ProbeAnswer
from stepbench.s3_clients import S3Client
from stepbench.samples import S3Facts
from stepbench.timing import PhaseTimer


@dataclass(frozen=True)
class Tools:
    """What an executor keeps from step to step."""

    s3_client: Callable[[str], S3Client]
    """By name; made and connected once."""
    new_key: Callable[[str, str], str]
    """(key prefix, suffix) → a key that no other execution writes."""


@dataclass(frozen=True)
class Outcome:
    """What a step produced, beside its phases."""

    output: PayloadRef
    records: int | None
    s3_client: str
    s3: S3Facts


class StepKind(Protocol):
    """A module of this package."""

    def prepare(self, message: StepMessage, tools: Tools) -> Any: ...

    def run(self, prepared: Any, timer: PhaseTimer) -> Outcome | ProbeAnswer: ...


def load(name: str) -> StepKind:
    """The step kind called `name`. Raises UsageError if there is none."""
    kind: Any = registry.load(__name__, name)
    return kind  # type: ignore[no-any-return] # a module stands for the protocol
