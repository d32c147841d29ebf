"""`jsonl`: one JSON object a line, each line ended by a line feed, compact, UTF-8.

It carries and refuses what json does.
"""

from __future__ import annotations

import io
import json
from typing import Any

from stepbench import rows
from stepbench.buffers import Data, length, reader
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged
from stepbench.serializers import Form, Serializer
from stepbench.serializers.json import refuse_constant

CHUNK_BYTES = 1024 * 1024
"""Lines that are parsed together: enough to share names, few enough to need little memory beside the records."""

END_OF_LINE = ord("\n")

# One of each for all rows: json.dumps and json.loads with options make a new one at every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def _dump(value: rows.Rows) -> bytes:
    encode = _ENCODER.encode
    buffer = io.BytesIO()
    for row in value:
        buffer.write(encode(row).encode())
        buffer.write(b"\n")
    return buffer.getvalue()


def _parse(lines: list[bytes], before: int) -> list[Any]:
    """The values of `lines`, of which there are `before` before them, as one array.

    That is faster than line by line, and the records share the names of their columns instead of each having its own.
    """
    try:
        found: list[Any] = _DECODER.decode("[" + str(b",".join(lines), "utf-8") + "]")
    except (ValueError, RecursionError) as error:
        raise PayloadDamaged(f"the payload is no JSON lines: {_first_fault(lines, before) or error}") from error
    if len(found) != len(lines):
        raise PayloadDamaged(
            f"the payload has more than one value on a line between {before} and {before + len(lines)}"
        )
    return found


def _first_fault(lines: list[bytes], before: int) -> str | None:
    for number, line in enumerate(lines, before + 1):
        try:
            _DECODER.decode(str(line, "utf-8"))
        except (ValueError, RecursionError) as error:
            return f"line {number}: {error}"
    return None


class Jsonl:
    form: Form = "rows"
    suffix = "jsonl"
    loses = ""
    compresses_itself = False
    memory_multiple = 5.5

    def encode(self, value: Any, _compression: Compression, /) -> bytes:
        """Raises PayloadRefused for NaN, infinities, unpaired surrogates and values that JSON does not know."""
        try:
            return _dump(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise rows.refusal("jsonl", value, _dump, error) from error

    def decode(self, data: Data, /) -> rows.Rows:
        """The list of records. Raises PayloadDamaged, naming the line, for anything but whole lines of JSON objects."""
        if length(data) and data[-1] != END_OF_LINE:
            raise PayloadDamaged("the payload's last JSON line has no end")
        found: list[Any] = []
        source = reader(data)
        while lines := source.readlines(CHUNK_BYTES):
            found += _parse(lines, len(found))
        return rows.checked(found)

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


SERIALIZER: Serializer = Jsonl()
