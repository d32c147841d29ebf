"""Being asked to end, at a moment at which the interpreter loses the exception."""

from __future__ import annotations

import io
import signal

import pytest

from orchestrator import interrupts


class Answer(io.RawIOBase):
    """Interrupted in the `close` that its deallocation calls, as the answer of an HTTP server may be."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__()
        self._number = number

    def close(self) -> None:
        if not self.closed:
            super().close()
            signal.raise_signal(self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_the_interpreter_dropped_is_still_heeded(number: signal.Signals) -> None:
    with interrupts.listening():
        answer = Answer(number)
        del answer  # what is raised in there goes nowhere

        with pytest.raises(KeyboardInterrupt):
            interrupts.heed()


def test_nothing_heard_is_nothing_to_heed_and_an_earlier_program_does_not_count() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        signal.raise_signal(signal.SIGINT)

    with interrupts.listening():
        interrupts.heed()


def test_the_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with interrupts.listening():
        pass

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
