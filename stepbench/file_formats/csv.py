"""`csv`: a header and one line a record, UTF-8, commas, RFC 4180's quotes. Fields get a type, column by column.

| fields of the column (missing ones beside them) | values |
|---|---|
| whole numbers within 64 bits, written as such numbers are (no leading zero or plus sign) | int |
| numbers with a point or an exponent, maybe whole ones of up to 15 digits among them | float, the nearest double |
| true and false, in lower case, upper case or capitalised | bool |
| anything else, mixtures and dates too | text, exactly as it stands in the file |

A field is missing, and becomes null, when it stands without quotes and is empty or one of NULLS; in quotes it is text.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from stepbench.errors import PayloadRefused
from stepbench.rows import Rows
from stepbench.serializers.csv import lift_field_limit
from stepbench.tables import table_to_rows

NULLS = ("", "NA", "N/A", "NULL", "null", "NaN", "nan")
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
NUMBER = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"

BLOCK_BYTES = 16 * 1024 * 1024
"""What pyarrow reads at a time; no record may be larger."""

lift_field_limit()


def read(path: Path) -> Rows:
    """The records of the file's lines."""
    header = _checked_header(path)
    try:
        table = _texts(path, header)
    except (pa.ArrowException, OSError) as error:
        raise PayloadRefused(f"it is no CSV: {error}") from error
    return table_to_rows(pa.table({name: _typed(table[name]) for name in header}))


def _checked_header(path: Path) -> list[str]:
    """The names of the columns, after a strict look at every line.

    pyarrow, which reads the values, is lenient about quotes: one that is never closed swallows the rest of the file.
    """
    with path.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text, strict=True)
        try:
            header = _named(next(lines, []))
            for fields in lines:
                if len(fields) != len(header) and fields:
                    raise PayloadRefused(
                        f"the record that ends on line {lines.line_num} has {len(fields)} fields, "
                        f"the header has {len(header)}; give every line as many"
                    )
        except csv.Error as error:
            raise PayloadRefused(
                f"line {lines.line_num} is no CSV: {error}; double the quotes inside a quoted field and close it"
            ) from error
        except UnicodeDecodeError as error:
            raise PayloadRefused(f"what follows line {lines.line_num} is not UTF-8; write the file in UTF-8") from error
    return header


def _named(header: list[str]) -> list[str]:
    for name in header:
        if header.count(name) > 1:
            raise PayloadRefused(f"its header names column {name!r} twice; give every column a name of its own")
    if not header:
        raise PayloadRefused("its first line is empty; begin the file with a header that names the columns")
    return header


def _texts(path: Path, header: list[str]) -> pa.Table:
    """All columns as text, what is missing as null."""
    return arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
        # An empty line is a missing value where there is one column, and nothing where there are more.
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(header) > 1),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=NULLS,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _typed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    present = texts.drop_null()
    if not len(present):
        return texts
    if _all(pc.is_in(present, pa.array(TRUE + FALSE))):
        return pc.if_else(pc.is_null(texts), None, pc.is_in(texts, pa.array(TRUE)))
    try:
        numbers = texts.cast(pa.int64())
        if _all(pc.equal(numbers.drop_null().cast(pa.string()), present)):
            return numbers
    except pa.ArrowInvalid:
        pass
    if _all(pc.match_substring_regex(present, NUMBER)):
        numbers = texts.cast(pa.float64())
        if _all(pc.is_finite(numbers.drop_null())):
            return numbers
    return texts


def _all(answers: pa.ChunkedArray) -> bool:
    return bool(pc.all(answers).as_py())
