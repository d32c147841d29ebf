"""`msgpack`: one MessagePack array of maps, text as str. Integers beyond 64 bits are refused, as the format has none.

No length that the payload states may exceed what could stand in it: text and bytes are bounded by its length, arrays by
one byte an element, maps by two. Extension types (timestamps among them) are refused: records have none.
"""

from __future__ import annotations

from typing import Any

import msgpack

from stepbench import rows
from stepbench.buffers import Data, length
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged
from stepbench.serializers import Form, Serializer


def _dump(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, strict_types=True)
    return packed


class Msgpack:
    form: Form = "rows"
    suffix = "msgpack"
    loses = ""
    compresses_itself = False
    memory_multiple = 5.5

    def encode(self, value: Any, _compression: Compression, /) -> bytes:
        """Raises PayloadRefused for integers beyond 64 bits, unpaired surrogates and types msgpack does not know."""
        try:
            return _dump(value)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise rows.refusal("msgpack", value, _dump, error) from error

    def decode(self, data: Data, /) -> rows.Rows:
        """The list of records. Raises PayloadDamaged for anything else."""
        size = length(data)
        try:
            value = msgpack.unpackb(
                data,
                max_str_len=size,
                max_bin_len=size,
                max_array_len=size,
                max_map_len=size // 2,
                max_ext_len=0,
            )
        except (ValueError, TypeError, msgpack.UnpackException, RecursionError, MemoryError) as error:
            reason = str(error) or type(error).__name__
            raise PayloadDamaged(f"the payload is no MessagePack of records: {reason}") from error
        return rows.checked(value)

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


SERIALIZER: Serializer = Msgpack()
