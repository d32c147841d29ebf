from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.upkeep.cleaning import Case, Findings
from orchestrator.upkeep.remains import Remains, ResultsQueue, Upload
from orchestrator.upkeep.remains_text import gone, lines
from orchestrator.upkeep.removal import Removed

NOW = datetime(2031, 2, 23, tzinfo=UTC)


def case(run: str, kept: str | None = None, **left: Any) -> Case:
    return Case(Remains(run, NOW - timedelta(days=12, hours=3), **left), kept)


def text(*cases: Case, strangers: int = 0, with_metrics: bool = False) -> list[str]:
    return list(lines(Findings(cases, strangers, with_metrics), NOW))


FULL = case(
    "r1",
    payloads=1_200,
    payload_bytes=60_000_000,
    metrics=1,
    metrics_bytes=5_000_000,
    uploads=[Upload("k", "u")],
    queue=ResultsQueue("url", 0),
)


def test_what_is_left_and_what_is_to_go_is_told() -> None:
    assert text(FULL, case("r2", "it lives", payloads=1, payload_bytes=5), strangers=2) == [
        "r1, last sign 12 days ago: 1,200 objects, 60.0 MB; 1 incomplete upload; 1 results queue; 1 metrics file",
        "r2, last sign 12 days ago: 1 object, 5 B",
        "    kept: it lives",
        "Left in the bucket, of runs that are over: 1 metrics file (--metrics removes them too).",
        "2 objects below the prefix without the look of a run's, left alone.",
        "To remove: 1,200 objects, 60.0 MB; 1 incomplete upload; 1 results queue; of 1 run.",
    ]


def test_metrics_copies_that_go_too_are_among_the_objects() -> None:
    assert text(FULL, with_metrics=True)[1:] == [
        "To remove: 1,201 objects, 65.0 MB; 1 incomplete upload; 1 results queue; of 1 run."
    ]


def test_nothing_is_told_as_nothing() -> None:
    assert text() == ["To remove: nothing."]
    assert text(case("r1", metrics=2))[-1] == "To remove: nothing."
    assert text(case("r1", "it is young", metrics=2)) == ["To remove: nothing."]


def test_what_is_gone_is_told() -> None:
    assert gone(Removed(objects=2, bytes=14, uploads=2, queues=0)) == "2 objects, 14 B; 2 incomplete uploads"
