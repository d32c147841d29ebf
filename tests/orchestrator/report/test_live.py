from __future__ import annotations

import io
import threading
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report import live
from orchestrator.report.live import (
    PLAIN_LINE_MIN_SECONDS,
    PlainView,
    Progress,
    ProgressView,
    QuietView,
    progress_view,
)
from orchestrator.report.live_terminal import TerminalView, lines
from orchestrator.report.pace import Marks
from orchestrator.run.telling import DEAD_LETTER


def at(elapsed_seconds: float, steps_done: int, last_error: str | None = None, note: str | None = None) -> Progress:
    return Progress(
        chains_done=steps_done // 10,
        chains_failed=0,
        chains=10,
        steps_done=steps_done,
        steps=100,
        in_flight=2,
        failures=int(last_error is not None),
        retries=0,
        duplicates=0,
        lost=0,
        last_error=last_error,
        elapsed_seconds=elapsed_seconds,
        worked_seconds=elapsed_seconds,
        step_seconds=None,
        waiting_note=note,
    )


def unanswered(elapsed_seconds: float, warn_after_seconds: float = 60.0) -> Progress:
    """No worker has answered since the run began."""
    return replace(at(elapsed_seconds, 0), heard_at_seconds=0.0, warn_after_seconds=warn_after_seconds)


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and tells when something has been drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        written = super().write(text)
        if "steps" in text:
            self.drawn.set()
        return written


def _await_end_of(threads: set[threading.Thread]) -> None:
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


def _told(*snapshots: Progress) -> list[str]:
    stream = io.StringIO()
    with progress_view(stream, quiet=False) as view:
        for snapshot in snapshots:
            view.update(snapshot)
    return stream.getvalue().splitlines()


def test_the_view_fits_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_view(Terminal(), quiet=False), TerminalView)
    assert isinstance(progress_view(Terminal(), quiet=True), QuietView)
    assert isinstance(progress_view(io.StringIO(), quiet=False), PlainView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_view(Terminal(), quiet=False), PlainView)


def test_quiet_says_nothing() -> None:
    stream = Terminal()
    with progress_view(stream, quiet=True) as view:
        view.update(at(1, 50))
    assert stream.getvalue() == ""


def test_a_short_run_has_a_first_and_a_last_line() -> None:
    assert _told(at(0, 0), at(1, 50), at(2, 100)) == [
        "0 s: 0 of 10 chains, 0 of 100 steps; 2 in flight",
        "2 s: 10 of 10 chains, 100 of 100 steps; 50.0 steps/s; 2 in flight",
    ]


def test_a_run_without_a_snapshot_says_nothing() -> None:
    assert _told() == []


def test_the_last_line_is_not_told_twice() -> None:
    assert len(_told(at(0, 0))) == 1


def test_a_line_comes_for_each_tenth_of_the_run() -> None:
    told = _told(*(at(second, second) for second in range(101)))
    assert len(told) == 11
    assert told[1].startswith("10 s: 1 of 10 chains, 10 of 100 steps; 1.00 steps/s; 1 min 30 s left")


def test_news_of_an_error_or_a_wait_is_told_before_the_next_tenth() -> None:
    told = _told(
        at(0, 0), at(5, 1), at(6, 1, "Boom:\nno"), at(10, 1, "Boom:\nno", "no workers?"), at(11, 1, "Boom:\nno")
    )
    assert "1 failed attempt; last error: Boom: no" in told[1]
    assert told[2].endswith("no workers?")


def test_a_step_that_was_given_up_as_lost_is_told_with_the_reason_and_the_command_that_tells_more() -> None:
    lost = replace(at(60, 1, f"chain 3 step 2: given up as lost: {DEAD_LETTER}"), lost=1, failures=0, retries=1)
    for told in (_told(lost)[0], " ".join(line.plain for line in lines(lost, Marks(), 60, 80, ascii_only=True))):
        assert "1 lost step; 1 retry; last error: chain 3 step 2: given up as lost: its message is in" in told
        assert "`python -m orchestrator dead-letters` tells why" in told


def test_when_no_worker_answers_for_too_long_the_lines_say_what_to_look_at() -> None:
    told = _told(unanswered(0), unanswered(55), unanswered(60), unanswered(80), unanswered(125))
    assert [line.partition(":")[0] for line in told] == ["0 s", "1 min 00 s", "2 min 05 s"]
    assert "answered" not in told[0]
    for line, silent in zip(told[1:], ("1 min 00 s", "2 min 05 s"), strict=True):
        assert f"no worker has answered for {silent}: " in line
        causes = ("ORCH_STEPS_QUEUE_URL", "logs", "policy", "VISIBILITY_TIMEOUT (120 s", "dead-letters`", "from zero")
        assert all(cause in line for cause in causes)


def test_a_warning_that_is_switched_off_is_never_given() -> None:
    assert "answered" not in _told(unanswered(5000, 0))[0]


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_the_live_view_says_all_of_it_on_as_many_lines_as_that_takes(width: int) -> None:
    drawn = lines(unanswered(0), Marks(), 61, width, ascii_only=True)
    assert all(line.cell_len <= width and line.plain.isascii() for line in drawn)
    assert "no worker has answered for 1 min 01 s: is one running" in " ".join(line.plain for line in drawn)
    assert drawn[-1].plain.endswith(" time")
    assert len(lines(unanswered(0), Marks(), 59, width, ascii_only=True)) == 2


def test_a_run_that_hangs_still_says_that_it_lives() -> None:
    assert len(_told(*(at(second, 0) for second in range(200)))) == 5


def test_lines_come_also_while_the_loop_waits_for_queues_that_do_not_answer() -> None:
    stream, clock = io.StringIO(), iter([0.0, 0.0, *range(100)])
    view = PlainView(stream, lambda: next(clock))
    view.update(at(0, 0))
    view.update(replace(at(20, 30), step_seconds=1.0, heard_at_seconds=20.0))
    for _ in range(100):
        view.look()
    told = stream.getvalue().splitlines()
    assert [line.partition(":")[0] for line in told] == ["0 s", "20 s", "33 s", "1 min 33 s"]
    assert "; 1.50 steps/s; " in told[1]
    assert told[2] == "33 s: 3 of 10 chains, 30 of 100 steps; nothing came for 13 s; 2 in flight"
    assert told[3].endswith("; nothing came for 1 min 13 s; 2 in flight")


def test_a_plain_view_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.0)
    looked = threading.Event()
    monkeypatch.setattr(PlainView, "look", lambda _: looked.set())
    with progress_view(io.StringIO(), quiet=False):
        assert looked.wait(timeout=60)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 20)), max_size=60))
def test_plain_lines_are_never_close_to_each_other(moves: list[tuple[float, int]]) -> None:
    stream, seconds, done = io.StringIO(), 0.0, 0
    view = PlainView(stream)
    told_at: list[float] = []
    for gone_seconds, steps in moves:
        seconds, done = seconds + gone_seconds, min(100, done + steps)
        before = len(stream.getvalue())
        view.update(at(seconds, done))
        told_at += [seconds] if len(stream.getvalue()) > before else []
    assert all(later - earlier >= PLAIN_LINE_MIN_SECONDS for earlier, later in pairwise(told_at))
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_live_view_keeps_within_the_terminal(width: int, ascii_only: bool) -> None:
    drawn = lines(at(5000, 37, "ChecksumMismatch: " + "no " * 200, "waiting"), Marks(), 5000, width, ascii_only)
    assert len(drawn) <= 5
    assert drawn[-1].plain.endswith(" ...")
    assert all(line.cell_len <= width for line in drawn)
    if ascii_only:
        assert all(line.plain.isascii() for line in drawn)


def test_the_live_view_shows_the_latest_snapshot_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    threads = set(threading.enumerate())
    with progress_view(stream, quiet=False) as view:
        view.update(at(1, 37))
        assert stream.drawn.wait(timeout=60)
    assert "37 of 100 steps" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("\x1b[2K")
    _await_end_of(set(threading.enumerate()) - threads)


def test_the_live_view_of_a_run_that_was_broken_off_leaves_a_line_that_says_how_far_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), progress_view(stream, quiet=False) as view:
        _break_off(view)
    last = stream.getvalue().splitlines()[-1]
    assert last.endswith("10 s: 3 of 10 chains, 37 of 100 steps; 3.70 steps/s; 17 s left; 2 in flight")


def _break_off(view: ProgressView) -> None:
    view.update(at(10, 37))
    raise KeyboardInterrupt


def test_the_live_view_is_gone_after_an_exception_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    threads = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), progress_view(stream, quiet=False):
        raise KeyboardInterrupt
    assert "\x1b[?25h" in stream.getvalue()
    _await_end_of(set(threading.enumerate()) - threads)
