from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.run import resumption
from orchestrator.run.lines import Event
from tests.orchestrator.report.sample_factory import make_plan, make_run_line

RUN = make_run_line(make_plan()).model_dump_json().encode() + b"\n"
FIRST_PAYLOAD, INTERRUPTED = (
    Event(event=name, at="2031-02-03T04:05:06Z").model_dump_json().encode() + b"\n"
    for name in ("first_payload", "interrupted")
)


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([RUN, FIRST_PAYLOAD], None),
        ([RUN, FIRST_PAYLOAD, b"torn"], None),
        ([RUN], "its first payload was not in S3 yet, so nothing was sent"),
        ([RUN, INTERRUPTED], "its first payload was not in S3 yet, so nothing was sent"),
        ([RUN[:-40]], "its metrics file is damaged; put back what it was, or a copy of it"),
        ([RUN, FIRST_PAYLOAD[:-10]], "its metrics file is damaged; put back what it was, or a copy of it"),
        ([], "its metrics file is empty; put back what it was, or a copy of it"),
    ],
)
def test_what_keeps_a_run_from_being_resumed_is_told_by_what_the_file_holds(
    pieces: Sequence[bytes], told: str | None
) -> None:
    path = Path("metrics.jsonl")
    path.write_bytes(b"".join(pieces))

    assert resumption.obstacle(path) == told


def test_a_metrics_file_that_cannot_be_read_is_told_as_that() -> None:
    assert resumption.obstacle(Path("nowhere")) == "its metrics file cannot be read: No such file or directory"
