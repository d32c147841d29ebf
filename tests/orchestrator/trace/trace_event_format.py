"""What the Trace Event Format asks of a file, as far as this program writes it; viewers leave out what breaks it.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

NAMES = {"process_name", "process_sort_index", "thread_name", "thread_sort_index"}
Event = dict[str, Any]
Interval = tuple[int, int, str]


def faults(trace: Any) -> list[str]:
    """A sentence for each rule that `trace`, a parsed file, breaks."""
    events: list[Event] = trace["traceEvents"]
    slices: dict[tuple[int, int], list[Interval]] = defaultdict(list)
    found = [fault for event in events for fault in _of_event(event)]
    for event in events:
        if event["ph"] == "X":
            begin_ns = _ns(event["ts"])
            interval = (begin_ns, begin_ns + _ns(event["dur"]), event["name"])
            slices[event["pid"], event["tid"]].append(interval)
    for track, intervals in slices.items():
        found += (f"track {track}: {fault}" for fault in _of_nesting(intervals))
    return [*found, *_of_names(events), *_of_flows(events, slices)]


def _of_event(event: Event) -> Iterator[str]:
    if event["ph"] not in ("X", "M", "i", "s", "t", "f"):
        yield f"unknown phase {event['ph']!r}"
    if not all(isinstance(event[name], int) for name in ("pid", "tid")):
        yield f"{event['name']}: pid and tid are no numbers"
    if event["ph"] == "M":
        if event["name"] not in NAMES:
            yield f"unknown metadata {event['name']!r}"
        return
    for name in ("ts", "dur") if event["ph"] == "X" else ("ts",):
        value = event[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            yield f"{event['name']}: {name} is {value!r}"
    if event["ph"] == "i" and event["s"] not in ("g", "p", "t"):
        yield f"{event['name']}: scope {event['s']!r}"


def _of_nesting(intervals: Iterable[Interval]) -> Iterator[str]:
    """Each lies within another one or beside it; what begins together nests by length."""
    open_until: list[Interval] = []
    for begin, end, name in sorted(intervals, key=lambda one: (one[0], -one[1])):
        while open_until and open_until[-1][1] <= begin:
            open_until.pop()
        if open_until and end > open_until[-1][1]:
            yield f"{name} ends {end - open_until[-1][1]} ns behind {open_until[-1][2]}, in which it begins"
        open_until.append((begin, end, name))


def _of_names(events: Iterable[Event]) -> Iterator[str]:
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    processes = {e["pid"] for e in events if e["name"] == "process_name"}
    for event in events:
        if event["ph"] != "M" and ((event["pid"], event["tid"]) not in named or event["pid"] not in processes):
            yield f"{event['name']}: its track has no name"


def _of_flows(events: Iterable[Event], slices: dict[tuple[int, int], list[Interval]]) -> Iterator[str]:
    flows: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] in ("s", "t", "f"):
            flows[event["id"]].append(event)
    for number, steps in flows.items():
        if [step["ph"] for step in steps] != ["s", "t", "f"]:
            yield f"flow {number} is not begun, gone on with and ended"
        if sorted(steps, key=lambda step: _ns(step["ts"])) != steps:
            yield f"flow {number} goes back in time"
        for step in steps:
            at_ns = _ns(step["ts"])
            track = slices[step["pid"], step["tid"]]
            if not any(begin <= at_ns <= end for begin, end, _ in track):
                yield f"flow {number} is bound to no slice at {step['ts']}"


def _ns(microseconds: float) -> int:
    return round(microseconds * 1000)
