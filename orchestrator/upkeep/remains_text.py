"""What a clean-up found and did, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from orchestrator.report import units
from orchestrator.upkeep.cleaning import Case, Findings
from orchestrator.upkeep.remains import Remains
from orchestrator.upkeep.removal import Removed
from orchestrator.upkeep.words import age, counted


def lines(findings: Findings, now: datetime) -> Iterator[str]:
    """Lines for a terminal: each run that has left what could be removed, then the sum of what is to go."""
    for case in findings.cases:
        if findings.has_removable(case.remains):
            yield from _case(case, now)
    if findings.metrics_that_stay:
        copies = counted(findings.metrics_that_stay, "metrics file")
        yield f"Left in the bucket, of runs that are over: {copies} (--metrics removes them too)."
    if findings.strangers:
        yield f"{counted(findings.strangers, 'object')} below the prefix without the look of a run's, left alone."
    to_go = findings.to_go
    yield f"To remove: {_sum(to_go, findings) if to_go else 'nothing'}."


def gone(removed: Removed) -> str:
    """`12 objects, 600 MB; 1 incomplete upload; 1 results queue`."""
    return _things(removed.objects, removed.bytes, removed.uploads, removed.queues)


def _case(case: Case, now: datetime) -> Iterator[str]:
    remains = case.remains
    since = age((now - remains.last_sign).total_seconds())
    yield f"{remains.run_id}, last sign {since} ago: {_left(remains)}"
    if case.kept is not None:
        yield f"    kept: {case.kept}"


def _left(remains: Remains) -> str:
    metrics = f"; {counted(remains.metrics, 'metrics file')}" if remains.metrics else ""
    things = _things(remains.payloads, remains.payload_bytes, len(remains.uploads), int(remains.queue is not None))
    return f"{things}{metrics}"


def _sum(to_go: Sequence[Remains], findings: Findings) -> str:
    with_metrics = findings.with_metrics
    objects = sum(each.payloads + (each.metrics if with_metrics else 0) for each in to_go)
    size = sum(each.payload_bytes + (each.metrics_bytes if with_metrics else 0) for each in to_go)
    uploads, queues = sum(len(each.uploads) for each in to_go), sum(each.queue is not None for each in to_go)
    return f"{_things(objects, size, uploads, queues)}; of {counted(len(to_go), 'run')}"


def _things(objects: int, size_bytes: int, uploads: int, queues: int) -> str:
    parts = [f"{counted(objects, 'object')}, {units.size(size_bytes)}"]
    if uploads:
        parts.append(counted(uploads, "incomplete upload"))
    if queues:
        parts.append(counted(queues, "results queue"))
    return "; ".join(parts)
