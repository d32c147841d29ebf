from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from worker.pulse import Pulse

ALLOWANCE_SECONDS = 10.0


class Watch:
    """A pulse on a clock that a test turns."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.pulse = Pulse(ALLOWANCE_SECONDS, lambda: self.now_ns)

    def stuck_after(self, seconds: float) -> list[str]:
        self.now_ns += int(seconds * 1e9)
        return self.pulse.stuck()


@pytest.fixture
def watch() -> Watch:
    return Watch()


def in_thread(name: str, act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act, name=name)
    thread.start()
    thread.join()


def test_a_thread_is_stuck_when_it_has_not_turned_for_longer_than_it_may(watch: Watch) -> None:
    in_thread("intake", watch.pulse.turn)
    assert watch.stuck_after(ALLOWANCE_SECONDS) == []
    assert watch.stuck_after(1) == ["intake"]
    in_thread("intake", watch.pulse.turn)
    assert watch.stuck_after(0) == []


def test_what_a_thread_said_that_it_waits_for_is_no_illness(watch: Watch) -> None:
    in_thread("executor-0", lambda: watch.pulse.turn(900))
    assert watch.stuck_after(900 + ALLOWANCE_SECONDS) == []
    assert watch.stuck_after(1) == ["executor-0"]


def test_a_thread_that_rests_may_do_so_for_ever(watch: Watch) -> None:
    in_thread("intake", watch.pulse.turn)
    in_thread("intake", watch.pulse.rest)
    assert watch.stuck_after(1e6) == []


def test_each_try_of_a_call_is_a_turn_so_that_an_outage_may_last(watch: Watch) -> None:
    in_thread("publisher", watch.pulse.turn)
    for _ in range(10):
        in_thread("publisher", lambda: watch.pulse.try_of_a_call(operation="SendMessage"))
        assert watch.stuck_after(ALLOWANCE_SECONDS) == []
    assert watch.stuck_after(1) == ["publisher"]


def test_a_call_of_a_thread_that_rests_is_not_the_begin_of_its_turning(watch: Watch) -> None:
    in_thread("MainThread", watch.pulse.try_of_a_call)
    assert watch.stuck_after(1e6) == []


def test_one_thread_that_turns_does_not_hide_another_that_does_not(watch: Watch) -> None:
    in_thread("heartbeat", watch.pulse.turn)
    watch.stuck_after(6)
    in_thread("intake", watch.pulse.turn)
    assert watch.stuck_after(6) == ["heartbeat"]
