"""`csv`: a header and one line a record (RFC 4180: commas, CRLF, quotes where needed), UTF-8, by the csv module.

Text stands as it is, null is an empty field, and every other value is written as JSON writes it (`12`, `0.5`, `true`,
`{"a":1}`; NaN and infinities as Python spells them). Reading gives text for every field and guesses nothing. So what
was no text comes back as text, and null comes back as the empty text: the two cannot be told apart in a CSV file that
all readers understand.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from stepbench import rows
from stepbench.buffers import Data, length, reader
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.serializers import Form, Serializer


def lift_field_limit() -> None:
    """Lets fields be of any size, in the whole process; the csv module's own limit is 128 KiB.

    What is read here is bounded already, by the declared size of a payload or by the size of the user's own file.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


lift_field_limit()

_AS_CSV_WRITES_THEM = {str, int, float, type(None)}
"""Types that the csv module writes as we want them: text, JSON's own digits, an empty field."""


def _field(value: Any) -> Any:
    return value if type(value) in _AS_CSV_WRITES_THEM else rows.as_json(value)


def _columns(value: rows.Rows) -> tuple[str, ...]:
    """The column names. Raises PayloadRefused for rows that differ in them, and for rows without any."""
    columns = tuple(value[0])
    if not columns:
        raise PayloadRefused("csv cannot carry records without columns")
    for number, row in enumerate(value, 1):
        if len(row) != len(columns) or any(column not in row for column in columns):
            odd = min(set(columns) ^ set(row))
            raise PayloadRefused(
                f"csv cannot carry ragged records: row {number} and row 1 differ in column {odd!r}; give every row "
                "every column, with null where it has no value"
            )
    return columns


def _fields(value: rows.Rows, column: str) -> Iterator[Any]:
    fields = map(itemgetter(column), value)
    if set(map(type, map(itemgetter(column), value))) <= _AS_CSV_WRITES_THEM:
        return fields
    return map(_field, fields)


def _dump(value: rows.Rows) -> bytes:
    if not value:
        return b""
    columns = _columns(value)
    buffer = io.BytesIO()
    with io.TextIOWrapper(buffer, encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*(_fields(value, column) for column in columns), strict=True))
        text.flush()
        return buffer.getvalue()


class Csv:
    form: Form = "rows"
    suffix = "csv"
    loses = "types and nesting: every field comes back as text, nested values as their JSON text, null as empty text"
    compresses_itself = False
    memory_multiple = 5.0

    def encode(self, value: Any, _compression: Compression, /) -> bytes:
        """Raises PayloadRefused for rows that differ in their columns, and for text that UTF-8 cannot write."""
        try:
            return _dump(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise rows.refusal("csv", value, _dump, error) from error

    def decode(self, data: Data, /) -> rows.Rows:
        """The list of records, every field as text. Raises PayloadDamaged, naming the line."""
        if not length(data):
            return []
        if bytes(data[-2:]) != b"\r\n":
            raise PayloadDamaged("the payload's last CSV line has no end")
        with io.TextIOWrapper(reader(data), encoding="utf-8", newline="") as text:
            lines = csv.reader(text, strict=True)
            try:
                columns = next(lines)
                _check_header(columns)
                return [dict(zip(columns, fields, strict=True)) for fields in lines]
            except UnicodeDecodeError as error:
                raise PayloadDamaged(f"the payload is not UTF-8 text after line {lines.line_num}") from error
            except (ValueError, StopIteration, csv.Error) as error:
                raise PayloadDamaged(f"the payload is no CSV at line {lines.line_num}: {error}") from error

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


def _check_header(columns: list[str]) -> None:
    if not columns or len(set(columns)) < len(columns):
        raise ValueError("the header names no column, or one of them twice")


SERIALIZER: Serializer = Csv()
