"""Waiting for AWS to come back: tries with growing, jittered pauses for as long as it takes.

The SDK has retried each try a few times by itself before it counts as one here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from threading import Event
from typing import Any, ParamSpec, TypeVar

import structlog
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception,
    stop_after_delay,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

MAX_PAUSE_SECONDS = 20

log = structlog.get_logger()
P = ParamSpec("P")
Answer = TypeVar("Answer")


def patient(
    what: str,
    worth_waiting: Callable[[BaseException], bool],
    giving_up: Event,
    most_seconds: float = math.inf,
) -> Retrying:
    """Call the result with a function and its arguments.

    An error that is not `worth_waiting` is raised at once; tenacity.RetryError when a try fails `most_seconds` after
    the first one began, or after `giving_up` was set, which also ends a pause. No pause goes beyond `most_seconds`: the
    last try begins then. Each failed try is logged as `what`, with the time that is left.
    """
    growing = wait_random_exponential(max=MAX_PAUSE_SECONDS)

    def left_seconds(state: RetryCallState) -> float:
        return max(0.0, most_seconds - (state.seconds_since_start or 0.0))

    def pause(state: RetryCallState) -> float:
        return min(growing(state), left_seconds(state))

    def told(state: RetryCallState) -> None:
        error: Any = state.outcome.exception() if state.outcome else None
        left = {"gives_up_in_seconds": round(left_seconds(state))} if math.isfinite(most_seconds) else {}
        log.warning(what, error=str(error), tries=state.attempt_number, **left)

    return Retrying(
        retry=retry_if_exception(worth_waiting),
        wait=pause,
        stop=stop_when_event_set(giving_up) | stop_after_delay(most_seconds),
        sleep=sleep_using_event(giving_up),
        before_sleep=told,
    )


def raising_the_last(waiting: Retrying, call: Callable[P, Answer], *arguments: P.args, **named: P.kwargs) -> Answer:
    """`waiting(call, …)`; where it gives up, the error is that of the last try, and not tenacity's."""
    try:
        return waiting(call, *arguments, **named)
    except RetryError as error:
        raise error.last_attempt.exception() or error from None


def pause_seconds(failures: int) -> float:
    """What to wait before the next try, after so many failures in a row: nothing after none or one, then as above."""
    return random.uniform(0, min(MAX_PAUSE_SECONDS, 2 ** (failures - 1))) if failures > 1 else 0.0
