"""Which of a worker's threads get on, and which have not turned for longer than what they wait for may take.

Each tells before it waits. Waiting is no illness: neither for a message, nor for an executor that has STEP_TIMEOUT,
nor for an AWS that is away, as long as tries go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic_ns
from typing import Any

from stepbench.patience import MAX_PAUSE_SECONDS
from stepbench.settings import Settings

MAX_SDK_PAUSE_SECONDS = 20.0
"""https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html."""
SLACK_SECONDS = 30.0
"""For what has no bound of its own: a busy machine, credentials that are fetched."""


def allowance_seconds(settings: Settings) -> float:
    """The longest that a thread takes from one try of a call to AWS to the next, if it gets on."""
    call = settings.connect_timeout_seconds + settings.read_timeout_seconds
    return call + MAX_SDK_PAUSE_SECONDS + MAX_PAUSE_SECONDS + SLACK_SECONDS


class Pulse:
    """Each method is about the thread that calls it, but for `stuck`. Safe to use from all of them."""

    def __init__(self, allowance_seconds: float = 180.0, clock_ns: Callable[[], int] = monotonic_ns) -> None:
        self._allowance_seconds = allowance_seconds
        self._clock_ns = clock_ns
        self._due_ns: dict[str, int] = {}

    def turn(self, waits_seconds: float = 0.0) -> None:
        """It gets on, and will again after at most `waits_seconds` of waiting."""
        due_ns = self._clock_ns() + int((waits_seconds + self._allowance_seconds) * 1e9)
        self._due_ns[threading.current_thread().name] = due_ns

    def try_of_a_call(self, **_: Any) -> None:
        """It is about to try a call to AWS. Says nothing of threads that have not begun or that rest."""
        if threading.current_thread().name in self._due_ns:
            self.turn()

    def rest(self) -> None:
        """It has nothing to do, and may wait for something for ever."""
        self._due_ns.pop(threading.current_thread().name, None)

    def stuck(self) -> list[str]:
        """The threads that should have turned by now."""
        now_ns = self._clock_ns()
        return sorted(name for name, due_ns in self._due_ns.copy().items() if due_ns < now_ns)
