from __future__ import annotations

from typing import get_args

import pytest

from orchestrator.report.narrate import narrate
from orchestrator.run.lines import Event, EventName, Line, SummaryLine
from tests.orchestrator.report.sample_factory import (
    AT,
    MS,
    make_failure,
    make_interrupted,
    make_plan,
    make_run_line,
    make_sample,
)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            make_run_line(make_plan()),
            "run r1 (embedded): 2 chains of 3 steps, 50 MB json, compression none",
        ),
        (Event(event="first_payload", at=AT, duration_ns=1500 * MS), "run: first payload written in 1.50 s"),
        (Event(event="dispatching", at=AT, chain=1, step=2, attempt=1), "chain 1 step 2: dispatched"),
        (Event(event="dispatching", at=AT, chain=1, step=2, attempt=2), "chain 1 step 2: dispatched, attempt 2"),
        (Event(event="chain_finished", at=AT, chain=3, ok=True, wall_ns=12_340 * MS), "chain 3: finished in 12.3 s"),
        (Event(event="chain_finished", at=AT, chain=3, ok=False), "chain 3: FAILED"),
        (Event(event="lost", at=AT, chain=3, step=1), "chain 3 step 1: given up as lost"),
        (
            Event(event="expired", at=AT, message="a completion of run r2 was deleted"),
            "run: a completion of run r2 was deleted",
        ),
        (Event(event="foreign", at=AT, message="no completion:\nJSON"), "run: no completion: JSON"),
        (Event(event="interrupted", at=AT), "run: interrupted"),
        (
            make_failure(chain=1, step=1),
            "chain 1 step 1: attempt 1 failed in download: ChecksumMismatch: announced abc, found def",
        ),
        (
            make_failure(chain=1, step=1, retryable=False, phase=None, message="two\nlines\x1b[31m"),
            "chain 1 step 1: attempt 1 failed, not to be retried: ChecksumMismatch: two lines [31m",
        ),
        (SummaryLine(), "run finished"),
    ],
)
def test_a_line_is_told_in_one_sentence(line: Line, sentence: str) -> None:
    assert narrate(line) == sentence


def test_a_sample_tells_its_total_and_its_largest_parts() -> None:
    phases = dict.fromkeys(make_sample().phases_ns, 0) | {"upload": 500 * MS, "download": 300 * MS}
    told = narrate(make_sample(phases_ns=phases, queue_wait_ns=400 * MS, total_ns=1212 * MS))
    assert told == "chain 1 step 1: done in 1.21 s: upload 500 ms, queue wait 400 ms, download 300 ms"


def test_the_time_of_earlier_attempts_is_told_beside_the_step_and_not_as_a_part_of_it() -> None:
    told = narrate(make_sample(attempt=2, retry_ns=60_000 * MS))
    assert told.startswith("chain 1 step 1: done in 815 ms: ")
    assert told.endswith("00 ms, after 60.0 s of earlier attempts [attempt 2]")
    assert "retry" not in told


def test_a_sample_tells_what_is_unusual_about_it() -> None:
    assert narrate(make_sample(cold=True, late=True, attempt=2)).endswith(" [cold, late, attempt 2]")
    assert narrate(make_sample(kind="warmup", chain=-1)).endswith("[warm-up]")
    assert "(no total)" in narrate(make_interrupted(make_sample()))


@pytest.mark.parametrize("name", get_args(EventName))
def test_every_event_has_its_words(name: str) -> None:
    assert narrate(Event.model_validate({"event": name, "at": AT}))
