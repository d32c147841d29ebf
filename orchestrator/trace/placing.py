"""Where on its executor's line an execution stands: two hosts' clocks are never compared, so this is an estimate.

What is known is that it lies between its dispatch and its completion, how long each wait around it was, and that an
executor does one step after the other. What is left between the waits is transit, the network's part of both sends and
both receives: half of it is taken to lie before and half behind, unless the executor was still busy then. All of it is
taken to lie before where a Lambda function did the step: its waits for room and its cold starts are in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROUNDING_NS = 2_000_000
"""SQS stamps whole milliseconds, two of them for each wait: a bound made of one may be off by so much."""


@dataclass(frozen=True, slots=True)
class Window:
    """When an execution of `length_ns` may have begun."""

    dispatched_ns: int
    completed_ns: int
    before_ns: int
    """Known waits between its dispatch and its beginning."""
    behind_ns: int
    length_ns: int
    transit_is_before: bool = False
    """Nearly all of it; else half."""

    @property
    def earliest_ns(self) -> int:
        return min(self.dispatched_ns + self.before_ns, self.latest_possible_ns)

    @property
    def latest_ns(self) -> int:
        return max(self.completed_ns - self.behind_ns - self.length_ns, self.dispatched_ns)

    @property
    def earliest_possible_ns(self) -> int:
        return max(self.dispatched_ns, self.earliest_ns - ROUNDING_NS)

    @property
    def latest_possible_ns(self) -> int:
        """Later it would end after its completion."""
        return max(self.completed_ns - self.length_ns, self.dispatched_ns)

    @property
    def likeliest_ns(self) -> int:
        wanted_ns = self.latest_ns if self.transit_is_before else (self.earliest_ns + self.latest_ns) // 2
        return min(max(wanted_ns, self.dispatched_ns), self.latest_possible_ns)

    @property
    def allowed_ns(self) -> int:
        return min(max(self.latest_ns, self.earliest_ns) + ROUNDING_NS, self.latest_possible_ns)


@dataclass(frozen=True, slots=True)
class Placed:
    begin_ns: int
    lane: int
    """0; higher where the file tells of executions at once on one executor, which no run writes."""


def place(windows: Sequence[Window]) -> list[Placed]:
    """A place for each of one executor's executions, given in the order in which they ran."""
    lanes: list[int] = [0]
    placed: list[Placed] = []
    for window, latest_ns in zip(windows, _not_in_the_way_of_the_next(windows), strict=True):
        wanted_ns = min(window.likeliest_ns, latest_ns)
        lane = _lane(lanes, window.allowed_ns)
        begin_ns = max(wanted_ns, lanes[lane])
        lanes[lane] = begin_ns + window.length_ns
        placed.append(Placed(begin_ns, lane))
    return placed


def _not_in_the_way_of_the_next(windows: Sequence[Window]) -> list[int]:
    """The latest beginning of each that leaves those behind it room, where there is any."""
    found: list[int] = []
    next_ns: int | None = None
    for window in reversed(windows):
        latest_ns = max(window.latest_ns, window.likeliest_ns)
        if next_ns is not None:
            latest_ns = min(latest_ns, next_ns - window.length_ns)
        next_ns = max(latest_ns, window.earliest_possible_ns)
        found.append(next_ns)
    return found[::-1]


def _lane(lanes: list[int], allowed_ns: int) -> int:
    free: Iterable[int] = (lane for lane, busy_until_ns in enumerate(lanes) if busy_until_ns <= allowed_ns)
    lane = next(iter(free), None)
    if lane is None:
        lanes.append(0)
        return len(lanes) - 1
    return lane
