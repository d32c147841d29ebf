"""Strict reading of JSON, for files that people wrote: what Python's json module passes over in silence is refused."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, NoReturn


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the key {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _float(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large for a double")
    return number


def _constant(token: str) -> NoReturn:
    raise ValueError(f"{token} is no JSON value; use null")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)


def parse(text: str) -> Any:
    """The value of `text`. Raises ValueError, also for repeated keys, NaN, and numbers that no double can hold."""
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
