"""Flat tables in files: CSV and Parquet, a file for each table, and JSON, all of them in one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from orchestrator.page.tables import Table, Value

JSON_MARK = '{"stepbench_tables":1,'
PARQUET_MARK = b"stepbench"
"""In a Parquet file's metadata: by it a later report knows that it may take the file's place."""


def csv_text(table: Table) -> str:
    """With a line of headings; RFC 4180, empty for what is not known."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows())
    return stream.getvalue()


def csv_mark(table: Table) -> str:
    """The line of headings, by which a later report knows such a file."""
    return ",".join(table.columns)


def json_text(tables: Mapping[str, Table]) -> str:
    """`{"stepbench_tables": 1, "samples": [{…}, …], …}`; never NaN."""
    rows = {
        name: [dict(zip(table.columns, row, strict=True)) for row in table.rows()] for name, table in tables.items()
    }
    return JSON_MARK + json.dumps(rows, allow_nan=False)[1:] + "\n"


def parquet_bytes(table: Table) -> bytes:
    """With the types that the columns have; a column in which nothing is known is of text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {name: _array(pa, values) for name, values in table.columns.items()}
    made = pa.table(arrays).replace_schema_metadata({PARQUET_MARK: table.name.encode()})
    stream = io.BytesIO()
    pq.write_table(made, stream, compression="zstd")
    return stream.getvalue()


def _array(pa: Any, values: list[Value]) -> Any:
    types = {type(value) for value in values if value is not None}
    if types == {int, float}:
        values = [None if value is None else float(value) for value in values]
    return pa.array(values, type=None if types else pa.string())


def _cell(value: Value) -> Value:
    return str(value).lower() if isinstance(value, bool) else value
