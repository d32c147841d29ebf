"""Rows: the records of a payload as a list of dicts with JSON's types for values. Checks that all rows forms share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stepbench.errors import PayloadDamaged, PayloadRefused

Rows = list[dict[str, Any]]


def checked(value: Any) -> Rows:
    """`value` itself if it is a list of dicts. Raises PayloadDamaged if it is anything else."""
    if type(value) is not list:
        raise PayloadDamaged(f"the payload holds a {type(value).__name__}, not a list of records")
    if set(map(type, value)) - {dict}:
        row = next(number for number, record in enumerate(value, 1) if type(record) is not dict)
        raise PayloadDamaged(f"row {row} of the payload is a {type(value[row - 1]).__name__}, not a record")
    return value


def refusal(serializer: str, rows: Rows, carry: Callable[[Any], object], error: Exception) -> PayloadRefused:
    """What to raise when a library refused `rows`: names the first row and column that `carry` alone refuses too.

    Only called after a failure: it tries the rows one by one.
    """
    for number, row in enumerate(rows, 1):
        try:
            carry([row])
        except (ValueError, TypeError, OverflowError, RecursionError) as cause:
            column = _first_refused(row, carry)
            return PayloadRefused(
                f"{serializer} cannot carry row {number}, column {column!r}: {cause}; change that value or choose "
                "another serializer (SERIALIZER, --serializer)"
            )
    return PayloadRefused(f"{serializer} cannot carry these records: {error}")


def _first_refused(row: Any, carry: Callable[[Any], object]) -> object:
    for column, value in row.items() if isinstance(row, dict) else ():
        try:
            carry([{column: value}])
        except (ValueError, TypeError, OverflowError, RecursionError):
            return column
    return None


def as_json(value: Any) -> str:
    """Compact JSON text of one value, NaN and infinities included as Python writes them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
