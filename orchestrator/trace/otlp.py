"""A trace as OpenTelemetry's spans: OTLP in JSON, an ExportTraceServiceRequest as collectors read it.

Ids are hexadecimal and made of the run's id and the span's path, so that the same file gives the same spans again.
64-bit numbers are texts.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.trace.attributes import SCHEMA_URL
from orchestrator.trace.model import RUN, Kind, Mark, Path, Span, Trace, Value

Json = dict[str, Any]

SCOPE = "stepbench"
INTERNAL, CLIENT, PRODUCER, CONSUMER = 1, 3, 4, 5
ERROR = 2
BEGINNING = '{"resourceSpans":['
MARK = f'"scope":{{"name":"{SCOPE}"'
"""By the two a later trace knows that it may take this one's place: our scope stands behind the first resource."""
SAMPLED = 1
_KINDS: dict[Kind, int] = {"send": PRODUCER, "execution": CONSUMER}

_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""One encoder for all: `json.dumps` would make one for each call."""


def pieces(trace: Trace) -> Iterator[str]:
    """The file, piece by piece: one resource for the orchestrator and one for each worker."""
    ids = _Ids(trace.run_id)
    marks = _by_path(trace.marks)
    yield BEGINNING
    separator = ""
    for resource, spans in _by_process(trace):
        head = {"resource": {"attributes": _attributes(resource)}, "schemaUrl": SCHEMA_URL}
        scope = {"scope": {"name": SCOPE, **_version(resource)}, "schemaUrl": SCHEMA_URL}
        yield f'{separator}{_compact(head)[:-1]},"scopeSpans":[{_compact(scope)[:-1]},"spans":[\n'
        for number, span in enumerate(spans):
            told = marks.get(span.path, ())
            yield (",\n" if number else "") + _compact(_span(span, told, ids, trace.zero_unix_ns))
        yield "\n]}]}"
        separator = ","
    yield "]}\n"


def is_ours(given: bytes) -> bool:
    """A file whose beginning is in `given` is of an earlier trace."""
    return given.startswith(BEGINNING.encode()) and MARK.encode() in given


def _by_process(trace: Trace) -> Iterator[tuple[Mapping[str, Value], Sequence[Span]]]:
    groups: dict[str, list[Span]] = defaultdict(list)
    for span in trace.spans:
        worker = span.track.group.removeprefix("worker ")
        groups[worker if worker in trace.workers and worker != span.track.group else ""].append(span)
    yield trace.orchestrator, groups.pop("")
    for worker, spans in groups.items():
        yield trace.workers[worker], spans


def _version(resource: Mapping[str, Value]) -> Json:
    return {"version": resource["service.version"]} if "service.version" in resource else {}


class _Ids:
    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self.trace = hashlib.sha256(run_id.encode()).hexdigest()[:32]

    def span(self, path: Path) -> str:
        return hashlib.sha256("/".join((self._run_id, *path)).encode()).hexdigest()[:16]


def _span(span: Span, marks: Sequence[Mark], ids: _Ids, zero_ns: int) -> Json:
    told: Json = {
        "traceId": ids.trace,
        "spanId": ids.span(span.path),
        "name": _name(span),
        "kind": _kind(span),
        "startTimeUnixNano": str(zero_ns + span.begin_ns),
        "endTimeUnixNano": str(zero_ns + span.end_ns),
        "attributes": _attributes(_told(span)),
        "flags": SAMPLED,
    }
    if span.path != RUN:
        told["parentSpanId"] = ids.span(span.path[:-1])
    if span.follows is not None:
        told["links"] = [{"traceId": ids.trace, "spanId": ids.span(span.follows), "flags": SAMPLED}]
    if events := [*_events(marks, zero_ns), *_exceptions(span, zero_ns)]:
        told["events"] = events
    if span.problem is not None:
        told["status"] = {"code": ERROR, "message": span.problem.message}
    return told


def _name(span: Span) -> str:
    """As the conventions want it: what is done, then to what; never a number that makes every name another."""
    if _is_of_a_queue(span):
        return f"{span.attributes['messaging.operation.name']} {span.attributes['messaging.destination.name']}"
    return span.kind if span.kind in ("run", "chain", "step", "attempt", "send", "execution") else span.name


def _kind(span: Span) -> int:
    if "rpc.system" in span.attributes:
        return CLIENT
    return _KINDS[span.kind] if _is_of_a_queue(span) else INTERNAL


def _is_of_a_queue(span: Span) -> bool:
    """Not where the run's channel has none."""
    return "messaging.system" in span.attributes


def _told(span: Span) -> dict[str, Value]:
    told: dict[str, Value] = {"stepbench.kind": span.kind, **span.attributes}
    if span.problem is not None:
        told["error.type"] = span.problem.error_class
    if span.unfinished:
        told["stepbench.unfinished"] = True
    return told


def _events(marks: Sequence[Mark], zero_ns: int) -> Iterator[Json]:
    for mark in marks:
        yield _event(f"stepbench.{mark.name}", zero_ns + mark.at_ns, mark.attributes)


def _exceptions(span: Span, zero_ns: int) -> Iterator[Json]:
    if span.problem is not None:
        told = {"exception.type": span.problem.error_class, "exception.message": span.problem.message}
        yield _event("exception", zero_ns + span.end_ns, told)


def _event(name: str, at_ns: int, told: Mapping[str, Value]) -> Json:
    return {"name": name, "timeUnixNano": str(at_ns), "attributes": _attributes(told)}


def _by_path(marks: Sequence[Mark]) -> dict[Path, list[Mark]]:
    found: dict[Path, list[Mark]] = defaultdict(list)
    for mark in marks:
        found[mark.path].append(mark)
    return found


def _attributes(told: Mapping[str, Value]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in told.items()]


def _value(value: Value) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
