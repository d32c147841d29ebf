"""Channels: how step messages reach executors and how completions come back. One file each.

A file defines TRAITS, what the channel asks of its surroundings (`stepbench.channels`), and `make(plan, site)`, which
gives the channel of a run, ready for the first step. The run's loop drives one without knowing which; what a channel
cannot tell is absent, not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from stepbench import registry
from stepbench.channels import PACKAGE
from stepbench.messages import Completion, StepMessage

if TYPE_CHECKING:
    from orchestrator.run.plan import Plan
    from orchestrator.run.site import Site


@dataclass(frozen=True, slots=True)
class Arrival:
    """A completion of this run, as it was received."""

    completion: Completion
    received_at_ns: int
    """Orchestrator's monotonic clock, when the receive returned."""
    results_wait_ns: int | None
    results_receive_count: int | None
    receipt: str


@dataclass(frozen=True, slots=True)
class Stray:
    """Something else that came out of the results queue, and was dealt with."""

    event: Literal["foreign", "expired"]
    message: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    completions: list[Arrival] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """When a send began (orchestrator's monotonic clock) and how long it took, for each message in order."""

    began_at_ns: int
    call_ns: int


class Channel(Protocol):
    """Used from one thread."""

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        """Send step messages. Raises the transport's own error, or PartlyRefused."""
        ...

    def receive(self, wait_seconds: float) -> Arrivals:
        """Completions, as soon as there is one, or none after `wait_seconds`."""
        ...

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        """These are dealt with and on disk: they need not come again."""
        ...

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        """For whoever goes on with the run: these come again at once, where that can be done. Raises nothing."""
        ...

    def is_silent(self) -> bool:
        """Nothing is on its way to a worker, in a worker's hands or on its way back, as far as the transport can tell.

        A completion whose reply was lost is hidden for a while, and comes again. Raises the transport's own error.
        """
        ...

    def dead_letters(self) -> list[StepMessage]:
        """Step messages of this run that no worker takes any more, as far as is known by now; may tell one twice.

        Returns at once and raises nothing: each call begins a look whose findings a later call returns.
        """
        ...

    def close(self) -> None:
        """Let go of what is held; what was accepted is then deleted."""
        ...

    def abandon(self) -> None:
        """The run ends before its time: what was started for it ends, and nothing is waited for. Raises nothing."""
        ...


def make(plan: Plan, site: Site) -> Channel:
    """The channel that the plan names. Raises EnvironmentRefused, and the SDK's errors."""
    channel: Channel = registry.load(PACKAGE, plan.channel).make(plan, site)
    return channel
