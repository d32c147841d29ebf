"""A trace as Perfetto and chrome://tracing open it: JSON of the Trace Event Format.

A group of tracks is a process there and a track one of its threads. Slices of one thread nest and never overlap in
part. Times are microseconds, with the nanoseconds behind the point; they count from the run's start, because a double
does not hold the microseconds since 1970 with nanoseconds behind them.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestrator.trace.model import CHAINS, ORCHESTRATOR, Arrow, Mark, Span, Trace, Track, Value

Event = dict[str, Any]

BEGINNING = '{"displayTimeUnit":"ms","otherData":'
MARK = '{"run":'
"""By the two a later trace knows that it may take this one's place."""

_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""One encoder for all: `json.dumps` would make one for each call."""


def pieces(trace: Trace) -> Iterator[str]:
    """The file, piece by piece."""
    yield BEGINNING + _compact(_about(trace)) + ',"traceEvents":[\n'
    separator = ""
    for event in _events(trace):
        yield separator + _compact(event)
        separator = ",\n"
    yield "\n]}\n"


def is_ours(given: bytes) -> bool:
    """A file whose beginning is in `given` is of an earlier trace."""
    return given.startswith(f"{BEGINNING}{MARK}".encode())


def _about(trace: Trace) -> dict[str, Value]:
    return {
        "run": trace.run_id,
        "label": trace.label,
        "zero_unix_ns": str(trace.zero_unix_ns),
        "placing": "executions lie between dispatch and completion by their known waits; half of the transit is taken "
        "to lie before, half behind; all of it before where a Lambda function did the step",
    }


def _events(trace: Trace) -> Iterator[Event]:
    ids = _Ids(trace)
    yield from ids.names()
    for span in trace.spans:
        yield from _slices(span, ids)
    for mark in trace.marks:
        yield _instant(mark, ids)
    for number, arrow in enumerate(trace.arrows, 1):
        yield from _flow(number, arrow, ids)


class _Ids:
    """Numbers for processes and threads, in the order in which they are to be shown."""

    def __init__(self, trace: Trace) -> None:
        tracks = dict.fromkeys([ORCHESTRATOR, *(span.track for span in trace.spans)])
        groups = dict.fromkeys([ORCHESTRATOR.group, CHAINS, *sorted({track.group for track in tracks})])
        self._pids = {group: pid for pid, group in enumerate(groups, 1)}
        self._tids = {track: tid for tid, track in enumerate(tracks, 1)}

    def of(self, track: Track) -> dict[str, int]:
        return {"pid": self._pids[track.group], "tid": self._tids[track]}

    def names(self) -> Iterator[Event]:
        for group, pid in self._pids.items():
            yield {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": group}}
            yield {"ph": "M", "name": "process_sort_index", "pid": pid, "tid": 0, "args": {"sort_index": pid}}
        for track, tid in self._tids.items():
            where = self.of(track)
            yield {"ph": "M", "name": "thread_name", **where, "args": {"name": track.name}}
            yield {"ph": "M", "name": "thread_sort_index", **where, "args": {"sort_index": tid}}


def _slices(span: Span, ids: _Ids) -> Iterator[Event]:
    if span.kind == "send":
        return  # it overlaps the waits of its track; its length is told with the step
    times = {"ts": _microseconds(span.begin_ns), "dur": _microseconds(span.end_ns - span.begin_ns)}
    event: Event = {"ph": "X", "name": span.name, "cat": span.kind, **ids.of(span.track), **times}
    if args := _args(span):
        event["args"] = args
    yield event
    if span.also is not None:
        yield {"ph": "X", "name": span.kind, "cat": span.kind, **ids.of(span.also), **times}


def _args(span: Span) -> Mapping[str, Value]:
    told: dict[str, Value] = dict(span.attributes)
    if span.problem is not None:
        told |= {"error.type": span.problem.error_class, "exception.message": span.problem.message}
    if span.unfinished:
        told["stepbench.unfinished"] = True
    return told


def _instant(mark: Mark, ids: _Ids) -> Event:
    place = {**ids.of(mark.track), "ts": _microseconds(mark.at_ns)}
    return {"ph": "i", "s": "t", "name": mark.name, "cat": "mark", **place, "args": dict(mark.attributes)}


def _flow(number: int, arrow: Arrow, ids: _Ids) -> Iterable[Event]:
    common = {"name": "step", "cat": "flow", "id": number}
    chain, executor = ids.of(arrow.chain), ids.of(arrow.executor)
    return (
        {"ph": "s", **common, **chain, "ts": _microseconds(arrow.dispatched_at_ns)},
        {"ph": "t", **common, **executor, "ts": _microseconds(arrow.begun_at_ns)},
        {"ph": "f", "bp": "e", **common, **chain, "ts": _microseconds(arrow.back_at_ns)},
    )


def _microseconds(duration_ns: int) -> float:
    return duration_ns / 1000
