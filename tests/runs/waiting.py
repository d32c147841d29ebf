"""Waiting for something to be there, with a deadline that only a broken program meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tests.processes import wait_until

DEADLINE_SECONDS = 120.0

Found = TypeVar("Found")


def eventually(what: str, look: Callable[[], Found]) -> Found:
    """What `look` gives once that is something; fails the test, naming `what` was waited for, at the deadline."""
    found: list[Found] = []

    def looked() -> bool:
        found[:] = [look()]
        return bool(found[0])

    wait_until(looked, what, DEADLINE_SECONDS)
    return found[0]
