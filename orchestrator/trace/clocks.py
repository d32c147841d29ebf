"""One time line for a whole file: the orchestrator's monotonic stamps, and the times of day of its lines.

Durations are differences of stamps, which are exact. Stamps have no date, and those of a resumed run may be of another
boot or machine. So each incarnation of the orchestrator is put where its first dispatch's line says, to a millisecond,
as a whole; what only lines tell of (lost, failed, duplicate) stands where the time of day of its line says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run.lines import Event, Line
from stepbench.samples import Sample

LAST_UNIX_NS = 2**62
"""The year 2116; a line that tells a later time was not written by a clock."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Both kinds of times as nanoseconds since zero."""

    zero_unix_ns: int
    offsets: tuple[int, ...]
    """Of each incarnation's monotonic clock."""

    def of_stamp(self, incarnation: int, stamp_ns: int) -> int:
        return stamp_ns + self.offsets[incarnation]

    def of_line(self, at: str) -> int | None:
        """Null for a text that is no time."""
        found = unix_ns(at)
        return None if found is None else max(0, found - self.zero_unix_ns)


def numbered(lines: Iterable[Line]) -> Iterator[tuple[int, Line]]:
    """Each line with the incarnation that wrote it, from 0."""
    incarnation = 0
    for line in lines:
        if isinstance(line, Event) and line.event == "resumed":
            incarnation += 1
        yield incarnation, line


def clock_of(file: MetricsFile) -> Clock:
    """The clock that places everything in `file`."""
    zero_ns = unix_ns(file.run.started_at) or 0
    known = _known(file)
    offsets: list[int] = []
    floor_ns = 0
    for one in known:
        offset_ns = one.offset_ns(zero_ns)
        # A time of day may have been set back in between: what came later is drawn later.
        offset_ns += max(0, floor_ns - (one.earliest_ns or 0) - offset_ns)
        offsets.append(offset_ns)
        floor_ns = max(floor_ns, (one.latest_ns or 0) + offset_ns) if one.latest_ns is not None else floor_ns
    return Clock(zero_ns, tuple(offsets))


def unix_ns(text: str) -> int | None:
    """Nanoseconds of a time of day; null for a text that is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    elapsed = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    found = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000_000 + elapsed.microseconds * 1_000
    return found if 0 <= found <= LAST_UNIX_NS else None


@dataclass(slots=True)
class _Incarnation:
    begun_unix_ns: int | None
    anchor_unix_ns: int | None = None
    """Time of day at which the monotonic clock stood at 0, as the line of a dispatch tells it."""
    earliest_ns: int | None = None
    latest_ns: int | None = None

    def offset_ns(self, zero_ns: int) -> int:
        anchor_ns = self.anchor_unix_ns
        if anchor_ns is None:
            anchor_ns = (zero_ns if self.begun_unix_ns is None else self.begun_unix_ns) - (self.earliest_ns or 0)
        return anchor_ns - zero_ns

    def saw(self, sample: Sample) -> None:
        begun_ns = sample.completed_at_ns if sample.dispatched_at_ns is None else sample.dispatched_at_ns
        begun_ns -= (sample.retry_ns or 0) + (sample.turnaround_ns or 0)
        self.earliest_ns = begun_ns if self.earliest_ns is None else min(self.earliest_ns, begun_ns)
        latest_ns = sample.completed_at_ns
        self.latest_ns = latest_ns if self.latest_ns is None else max(self.latest_ns, latest_ns)


def _known(file: MetricsFile) -> list[_Incarnation]:
    found = [_Incarnation(unix_ns(file.run.started_at))]
    announced: dict[tuple[int | None, int | None, int | None], str] = {}
    for incarnation, line in numbered(file.lines):
        if incarnation == len(found):
            found.append(_Incarnation(unix_ns(line.at) if isinstance(line, Event) else None))
        now = found[incarnation]
        if isinstance(line, Event) and line.event == "dispatching":
            announced[line.chain, line.step, line.attempt] = line.at
        elif isinstance(line, Sample):
            now.saw(line)
            at = announced.get((line.chain, line.step, line.attempt))
            if now.anchor_unix_ns is None and line.dispatched_at_ns is not None and at is not None:
                told_ns = unix_ns(at)
                now.anchor_unix_ns = None if told_ns is None else told_ns - line.dispatched_at_ns
    return found
