"""`parquet`: columns of booleans, numbers, text, and lists and structs of these.

Dates and times become ISO 8601 text with all their digits (in UTC where the column has a time zone), because records
have JSON's types. What has no exact form there (decimals, binary, maps, durations) is refused by the column's name.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet, types

from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.rows import Rows
from stepbench.tables import DAMAGE, holds_json_values, table_to_rows


def read(path: Path) -> Rows:
    """The records of the file's rows."""
    try:
        with parquet.ParquetFile(path) as file:
            table = file.read()
        _refuse_twice(table.column_names)
        return table_to_rows(pa.table({name: _json_values(name, table[name]) for name in table.column_names}))
    except (PayloadDamaged, *DAMAGE) as error:
        raise PayloadRefused(f"it is no readable Parquet file: {error}") from error


def _refuse_twice(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise PayloadRefused(f"it has column {name!r} twice; give every column a name of its own")


def _json_values(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if types.is_dictionary(kind):
        return _json_values(name, column.cast(kind.value_type))
    if types.is_timestamp(kind) and kind.tz is not None:
        column = column.cast(pa.timestamp(kind.unit, "UTC"))
    if types.is_timestamp(kind):
        return pc.replace_substring(column.cast(pa.string()), " ", "T")
    if types.is_date(kind) or types.is_time(kind):
        return column.cast(pa.string())
    if not holds_json_values(kind):
        raise PayloadRefused(
            f"column {name!r} has the type {kind}, which records cannot hold; cast it to text or float"
        )
    return column
