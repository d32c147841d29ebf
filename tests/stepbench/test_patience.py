from __future__ import annotations

from threading import Event

import pytest
import tenacity

from stepbench import patience

TRY_SECONDS = 3.0


class Clock(Event):
    """On which tries and pauses take their time at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.tries: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert timeout <= patience.MAX_PAUSE_SECONDS
        self.now += timeout
        return False

    def fail(self) -> None:
        self.tries.append(self.now)
        self.now += TRY_SECONDS
        raise OSError


@pytest.mark.parametrize("most_seconds", [10.0, 50.0, 300.0])
def test_the_last_try_begins_when_the_time_is_up_and_not_a_pause_later(
    most_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("tenacity.time.monotonic", lambda: clock.now)

    with pytest.raises(tenacity.RetryError):
        patience.patient("no answer", lambda _: True, clock, most_seconds)(clock.fail)

    assert most_seconds - TRY_SECONDS <= clock.tries[-1] <= most_seconds + 1e-6


def test_pauses_begin_with_the_second_failure_grow_differ_and_have_a_bound() -> None:
    assert [patience.pause_seconds(failures) for failures in (0, 1)] == [0, 0]
    longest = [max(patience.pause_seconds(failures) for _ in range(200)) for failures in (2, 4, 1_000_000)]
    assert 1 < longest[0] <= 2 < longest[1] <= 8 < longest[2] <= patience.MAX_PAUSE_SECONDS
