"""Being asked to end at a moment at which the exception is lost."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from threading import Lock
from time import sleep

import pytest

from orchestrator import interrupts
from tests.runs.waiting import eventually

EACH = pytest.mark.parametrize("number", interrupts.SIGNALS)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(interrupts, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(interrupts, "SAME_SECONDS", 0.04)
    before = {number: signal.getsignal(number) for number in (*interrupts.SIGNALS, signal.SIGALRM)}
    yield
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    for number, handler in before.items():
        signal.signal(number, handler)


class Answer(io.RawIOBase):
    """Interrupted in the `close` that its deallocation calls, as the answer of an HTTP server may be."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__()
        self._number = number

    def close(self) -> None:
        if not self.closed:
            super().close()
            signal.raise_signal(self._number)


def lose(number: signal.Signals) -> None:
    answer = Answer(number)
    del answer  # what is raised in there goes nowhere


def lose_and_go_on(number: signal.Signals) -> None:
    lose(number)
    eventually("an interrupt", lambda: False)


def lose_the_release_of_a_lock() -> None:
    lock = Lock()
    lock.acquire()
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        lock.acquire()


def tell_of_an_interrupt(told: list[str], seconds: float) -> None:
    """`seconds` after it another signal comes."""
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        sleep(seconds)
        signal.raise_signal(signal.SIGHUP)
        told.append("Interrupted.")


@EACH
def test_an_interrupt_that_the_interpreter_dropped_is_raised_again(number: signal.Signals) -> None:
    with interrupts.listening(), pytest.raises(KeyboardInterrupt), interrupts.insisting():
        lose_and_go_on(number)


def test_an_interrupt_that_left_a_lock_held_gets_out_of_it_again() -> None:
    with interrupts.listening(), pytest.raises(KeyboardInterrupt), interrupts.insisting():
        lose_the_release_of_a_lock()


@EACH
def test_what_insists_does_not_begin_after_an_interrupt_that_was_dropped(number: signal.Signals) -> None:
    began = False
    with interrupts.listening():
        lose(number)
        with pytest.raises(KeyboardInterrupt), interrupts.insisting():
            began = True
    assert not began


def test_what_follows_an_interrupt_is_left_in_peace() -> None:
    with interrupts.listening():
        with pytest.raises(KeyboardInterrupt), interrupts.insisting():
            signal.raise_signal(signal.SIGINT)

        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_an_earlier_programs_interrupt_does_not_count() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        signal.raise_signal(signal.SIGINT)

    with interrupts.listening(), interrupts.insisting():
        pass


def test_the_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]

    with interrupts.listening():
        pass

    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before


def test_signals_that_come_together_are_one_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "SAME_SECONDS", 60.0)
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        tell_of_an_interrupt(told, 0.0)
    assert told


def test_a_later_signal_ends_what_an_interrupt_does() -> None:
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        tell_of_an_interrupt(told, interrupts.SAME_SECONDS)
    assert not told


@EACH
def test_a_program_that_an_interrupt_has_ended_does_not_end_of_another_signal(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        signal.raise_signal(signal.SIGINT)

    signal.raise_signal(number)


def test_a_signal_that_the_starter_wants_ignored_is_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.listening(), interrupts.insisting():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
