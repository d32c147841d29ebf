"""What a channel asks of its surroundings, as each channel's file tells: settings, rights and stacks derive from it.

The channels themselves are the orchestrator's. Here they are known by name, as a user types them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stepbench import registry

if TYPE_CHECKING:
    from stepbench.settings import Settings

PACKAGE = "orchestrator.channels"


@dataclass(frozen=True, slots=True)
class Traits:
    """Of one channel."""

    steps_queue: bool
    """Step messages go through a queue, to workers."""
    results_queue: bool
    """Completions come back through one."""
    own_executors: bool = False
    """Executors of the orchestrator do the steps: on its machine, with its rights, and only for as long as it lives."""
    function: bool = False
    """A Lambda function does them."""

    @property
    def queues(self) -> bool:
        """Whether it needs SQS at all."""
        return self.steps_queue or self.results_queue


def traits(channel: str) -> Traits:
    """Of the channel of that name. Raises UsageError for what is none."""
    found: Traits = registry.load(PACKAGE, channel).TRAITS
    return found


def fitted(settings: Settings) -> Settings:
    """`settings` without the queues, the fleets at them, and the function that their channel makes no use of."""
    its = traits(settings.channel)
    unused = {} if its.steps_queue else {"steps_queue_url": None, "fleets": None, "fleet": None}
    unused |= {} if its.results_queue else {"results_queue_url": None}
    unused |= {} if its.function else {"lambda_function": None}
    return settings.model_copy(update=unused)
