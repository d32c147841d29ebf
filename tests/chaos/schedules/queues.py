"""A queue that uses every freedom that SQS's contract leaves it: late, twice, in any order, visible too early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from stepbench.queues import Depth, Outgoing, Received
from stepbench.queues.memory import MemoryQueue
from tests.chaos.schedules.profile import Profile

LATE_SECONDS = 60.0
"""Mean."""


class BadQueue(MemoryQueue):
    """Never waits: whoever receives lets the time pass itself."""

    def __init__(
        self,
        random: Random,
        profile: Profile,
        clock: Callable[[], float],
        tried: Counter[str],
        visibility_seconds: float,
        max_receives: int | None,
    ) -> None:
        super().__init__(visibility_seconds, max_receives, clock)
        self._random = random
        self._profile = profile
        self._tried = tried
        self._delivered: set[str] = set()

    def send(self, messages: Sequence[Outgoing]) -> None:
        before = len(self._messages)
        super().send(messages)
        for message in self._messages[before:]:
            if self._random.random() < self._profile.late:
                message.visible_at += self._random.expovariate(1 / LATE_SECONDS)
            if self._random.random() < self._profile.twice:
                # A copy that the deletion of the other does not reach.
                self._messages.append(replace(message, visible_at=message.visible_at + self._random.random()))

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        self._random.shuffle(self._messages)
        found = super().receive(self._random.randint(1, most), 0)
        for message in found:
            self._tried["duplicates delivered"] += message.id in self._delivered
            self._delivered.add(message.id)
        return found

    def depth(self) -> Depth:
        if self._random.random() < self._profile.false_silence:
            return Depth(visible=0, in_flight=0, delayed=0)
        return super().depth()

    def lose_visibility(self) -> None:
        """A message that somebody holds comes to somebody else."""
        held = [message for message in self._messages if message.receipt and message.visible_at > self._clock()]
        if held:
            self._random.choice(held).visible_at = self._clock()
            self._tried["visibilities lost"] += 1

    def bodies(self, receipts: Sequence[str]) -> list[str]:
        """Of the messages that `receipts` would delete."""
        return [message.body for message in self._messages if message.receipt in receipts]

    def received(self) -> list[str]:
        """The bodies of what somebody has received, and nobody has deleted."""
        return [message.body for message in self._messages if message.receipt]

    def quiet_seconds(self) -> float | None:
        """Until a message becomes visible, 0 or less if one is; None for an empty queue."""
        return min((message.visible_at - self._clock() for message in self._messages), default=None)
