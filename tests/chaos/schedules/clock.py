"""Time that passes only when the schedule lets it pass, and that the product takes for the real one."""

from __future__ import annotations

from random import Random

BEGIN_NS = 1_700_000_000 * 10**9
"""Of Unix time."""
LONGEST_UPTIME_NS = 10**15


class Clock:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._now_ns = BEGIN_NS
        self._booted_ns = 0
        self.boot()

    def boot(self) -> None:
        """The monotonic clock begins anew, as on another machine: earlier stamps of it now mean nothing.

        Lives of an orchestrator have a second of their own each, for their epochs to differ.
        """
        self.pass_seconds(1)
        self._booted_ns = self._now_ns - self._random.randrange(LONGEST_UPTIME_NS)

    def pass_seconds(self, seconds: float) -> None:
        self._now_ns += int(seconds * 1e9)

    def time(self) -> float:
        return self._now_ns / 1e9

    def monotonic(self) -> float:
        return self.monotonic_ns() / 1e9

    def monotonic_ns(self) -> int:
        return self._now_ns - self._booted_ns
