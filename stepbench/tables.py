"""Python rows to a `pyarrow.Table` and back, exactly or not at all.

pyarrow's own inference is not used: it fills missing keys with null, in rows and in nested objects, and says so
nowhere. Here a column has one type, found by looking at every value, and what has none is refused with column, row and
a way out:

| values in the column (null beside any of them) | type |
|---|---|
| nothing but null | null |
| true, false | bool |
| whole numbers within 64 bits | int64 |
| floats, or floats and whole numbers that a double holds exactly (up to 2^53) | double |
| text | string |
| objects that all have the same keys | struct |
| lists | list |

pyarrow itself refuses a whole number out of these bounds. Whole numbers beside floats come back as floats of the same
value: the one thing that a table loses.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pyarrow import types

from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.rows import Rows

DAMAGE = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    MemoryError,
    NotImplementedError,
)
"""All that pyarrow raises for damaged input: its own errors and the built-in ones that it maps some of them to."""

_NONE = type(None)
_SCALARS: dict[frozenset[type], pa.DataType] = {
    frozenset(): pa.null(),
    frozenset({bool}): pa.bool_(),
    frozenset({int}): pa.int64(),
    frozenset({float}): pa.float64(),
    frozenset({int, float}): pa.float64(),
    frozenset({str}): pa.string(),
}

_JSON_NAMES = {bool: "booleans", int: "whole numbers", float: "floats", str: "text", dict: "objects", list: "lists"}


class _NoType(Exception):
    """No Arrow type holds these values exactly."""


def rows_to_table(rows: Rows) -> pa.Table:
    """The table of `rows`, its columns in the order of the first row. Raises PayloadRefused."""
    if not rows:
        return pa.table({})
    columns = _columns(rows)
    if columns is None:
        _refuse_ragged(rows)
    if not columns:
        raise PayloadRefused("a table cannot carry records without columns; use json, jsonl, pickle or msgpack")
    return pa.table({name: _array(name, values) for name, values in columns.items()})


def table_to_rows(table: pa.Table) -> Rows:
    """The rows of `table` as dicts of Python values.

    Raises PayloadDamaged for values that are out of their bounds, and for types that no record has: to turn them into
    Python values, pyarrow would import what the payload names (a time zone's library, pandas).
    """
    for column in table.schema:
        if not holds_json_values(column.type):
            raise PayloadDamaged(
                f"the payload's column {column.name!r} has the type {column.type}, which no record has"
            )
    try:
        # Subtle: offsets beyond a buffer would crash the process, so every value is checked before any is touched.
        table.validate(full=True)
        rows: Rows = table.to_pylist()
    except DAMAGE as error:
        raise PayloadDamaged(f"the payload's table holds damaged values: {error}") from error
    return rows


def holds_json_values(kind: pa.DataType) -> bool:
    """Whether the values of a column of this type are, as Python's, those that records have."""
    if types.is_struct(kind):
        names = [field.name for field in kind]
        return len(set(names)) == len(names) and all(holds_json_values(field.type) for field in kind)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return holds_json_values(kind.value_type)
    checks = (types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_string)
    return any(check(kind) for check in (*checks, types.is_large_string, types.is_string_view))


def _refuse_ragged(rows: Rows) -> None:
    expected = rows[0].keys()
    for number, row in enumerate(rows, 1):
        if row.keys() != expected:
            odd = min(row.keys() ^ expected)
            raise PayloadRefused(
                f"a table cannot carry ragged records: row {number} and row 1 differ in column {odd!r}; give every row "
                "every column, with null where it has no value, or use json, jsonl, pickle or msgpack"
            )


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]] | None:
    """The values by key, of dicts that all have the same keys; None if they have not.

    As many keys in each, and all of the first one's in every other: told without a loop in Python.
    """
    if len(set(map(len, rows))) != 1:
        return None
    try:
        return {key: list(map(itemgetter(key), rows)) for key in rows[0]}
    except KeyError:
        return None


def _array(name: str, values: list[Any]) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(values, type=_type_of(values))
    except (_NoType, pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError) as error:
        row = _first_refused(values)
        raise PayloadRefused(
            f"a table cannot carry column {name!r} exactly, row {row}: {error}; make its values one type, or use json, "
            "jsonl, pickle or msgpack"
        ) from error


def _first_refused(values: list[Any]) -> int:
    """The first row whose value fits no type together with those before it: by bisection, for there is one."""
    fits, refused = 0, len(values)
    while refused - fits > 1:
        middle = (fits + refused) // 2
        try:
            pa.array(values[:middle], type=_type_of(values[:middle]))
            fits = middle
        except (_NoType, pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError):
            refused = middle
    return refused


def _type_of(values: list[Any]) -> pa.DataType:
    """The Arrow type that holds each of `values` exactly. Raises _NoType."""
    kinds = frozenset(map(type, values))
    if _NONE in kinds:
        kinds -= {_NONE}
        values = [value for value in values if value is not None] if kinds <= {dict, list} else values
    if kinds == {dict}:
        return _struct_of(values)
    if kinds == {list}:
        return pa.list_(_type_of(list(chain.from_iterable(values))))
    if kinds not in _SCALARS:
        raise _NoType(f"it mixes {_names(kinds)}" if len(kinds) > 1 else f"no type of a table holds {_names(kinds)}")
    return _SCALARS[kinds]


def _struct_of(objects: list[dict[str, Any]]) -> pa.StructType:
    columns = _columns(objects)
    if columns is None:
        raise _NoType("its objects differ in their keys, and missing ones would come back as null")
    if not columns:
        raise _NoType("its objects have no keys")
    return pa.struct([(key, _type_of(values)) for key, values in columns.items()])


def _names(kinds: frozenset[type]) -> str:
    return " and ".join(sorted(_JSON_NAMES.get(kind, kind.__name__) for kind in kinds))
