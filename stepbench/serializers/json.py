"""`json`: one JSON array of objects, compact, UTF-8, by the standard library's json module.

NaN and infinities are refused: JSON has none, and the tokens that Python would write are read by few others. Text with
unpaired surrogates is refused too, because UTF-8 has no form for it. Integers are exact whatever their size, floats are
written with the shortest digits that give the same double back.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from stepbench import rows
from stepbench.buffers import Data, length
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged
from stepbench.serializers import Form, Serializer


def refuse_constant(token: str) -> NoReturn:
    """For `parse_constant`: NaN and the infinities are no JSON."""
    raise ValueError(f"{token} is no JSON value")


def text_of(data: Data) -> str:
    """`data` as text, decoded in place whatever kind of buffer it is. Raises PayloadDamaged if it is not UTF-8."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise PayloadDamaged(f"the payload is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class Json:
    form: Form = "rows"
    suffix = "json"
    loses = ""
    compresses_itself = False
    memory_multiple = 6.5

    def encode(self, value: Any, _compression: Compression, /) -> bytes:
        """Raises PayloadRefused for NaN, infinities, unpaired surrogates and values that JSON does not know."""
        try:
            return _dump(value)
        except (ValueError, TypeError, RecursionError) as error:
            raise rows.refusal("json", value, _dump, error) from error

    def decode(self, data: Data, /) -> rows.Rows:
        """The list of records. Raises PayloadDamaged for anything but a JSON array of objects in UTF-8."""
        try:
            return rows.checked(json.loads(text_of(data), parse_constant=refuse_constant))
        except (ValueError, RecursionError) as error:
            raise PayloadDamaged(f"the payload is no JSON: {error}") from error

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


SERIALIZER: Serializer = Json()
