"""Transfers as others saw them: from the first byte of the first request until the last byte of the last reply.

Whoever looks from outside tells marks: a request for an object began, or bytes of some reply were there. A transfer
may be of several requests, over several connections at once; it goes on until something else is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Way = Literal["download", "upload"]
_REQUEST_LINE = re.compile(r"^(GET|HEAD|PUT|POST) /[^/ ]+/([^ ?]+)")


@dataclass(frozen=True, order=True)
class Mark:
    """Something that passed; nothing of it is the program's own word."""

    at_ns: int
    request_line: str | None
    """Null for bytes of a reply."""


def spans(marks: Iterable[Mark]) -> dict[tuple[Way, str], int]:
    """How many nanoseconds each object took on each way, by key."""
    found: dict[tuple[Way, str], int] = {}
    now: tuple[Way, str] | None = None
    began_ns = 0
    for mark in sorted(marks, key=lambda mark: mark.at_ns):
        if mark.request_line is None:
            if now is not None:
                found[now] = mark.at_ns - began_ns
        elif (asked := _transfer(mark.request_line)) is not None and asked != now:
            now, began_ns = asked, mark.at_ns
    return found


def is_of_an_object(request_line: str) -> bool:
    return _REQUEST_LINE.match(request_line) is not None


def _transfer(request_line: str) -> tuple[Way, str] | None:
    found = _REQUEST_LINE.match(request_line)
    if found is None:
        return None
    return ("download" if found[1] in ("GET", "HEAD") else "upload"), found[2]
