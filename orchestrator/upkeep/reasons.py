"""Why a step message became a dead letter, found in the order in which a worker would find it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from stepbench.errors import MessageRefused
from stepbench.guard import Guard
from stepbench.messages import StepMessage, parse

Kind = Literal["not understood", "unknown version", "refused", "expired", "run is over", "understood"]
VERSION = StepMessage.model_fields["v"].default


@dataclass(frozen=True, slots=True)
class Reason:
    """`text` is for people and may quote the message: it is not safe for a terminal as it stands."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Judge:
    """Knows what workers of the same settings would say of a message."""

    guard: Guard
    max_receives: int
    """The redrive policy's: how often a message was taken before it came to the dead letters."""
    is_gone: Callable[[str], bool]
    """Whether the queue with this URL does not exist (any more); asked of results queues that the guard admits."""

    def reason(self, body: str, now: float) -> Reason:
        """`now` is Unix time in seconds. Raises what `is_gone` raises."""
        try:
            message = parse(StepMessage, body)
        except MessageRefused as error:
            return _not_understood(body, error)
        try:
            url = self.guard.check_results_queue(message)
            if message.expires_at < now:
                return Reason(
                    "expired", f"expired at {_clock(message.expires_at)}: a worker would delete it, not run it"
                )
            self.guard.check_objects(message)
        except MessageRefused as error:
            return Reason("refused", f"refused: {error}")
        if self.is_gone(url):
            name = url.rpartition("/")[2]
            return Reason("run is over", f"nobody waits for it: its run's results queue {name} is gone")
        times = f"{self.max_receives} times" if self.max_receives > 1 else "once"
        return Reason("understood", f"understood: its workers died, were killed or handed it back {times}")


@dataclass(frozen=True, slots=True)
class Told:
    """What a body says of itself, whether a worker would understand it or not; null for what it does not say."""

    run: str | None
    chain: int | None
    step: int | None
    attempt: int | None


def told(body: str) -> Told:
    fields = _fields(body)
    run = fields.get("run")
    numbers = (fields.get(name) for name in ("chain", "step", "attempt"))
    return Told(run if isinstance(run, str) else None, *(number if type(number) is int else None for number in numbers))


def _not_understood(body: str, error: MessageRefused) -> Reason:
    fields = _fields(body)
    if "v" in fields and fields["v"] != VERSION:
        return Reason("unknown version", f"unknown version: {fields['v']!r}, where workers know {VERSION!r}")
    return Reason("not understood", f"cannot be understood: {error}")


def _fields(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _clock(unix_seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(unix_seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # a number that no calendar has
        return f"{unix_seconds:g} s of Unix time"
