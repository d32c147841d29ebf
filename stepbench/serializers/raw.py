"""`raw`: bytes as they are. Nothing is serialized, so a step shows what moving and checking them costs alone."""

from __future__ import annotations

from typing import Any

from stepbench.buffers import Data, length
from stepbench.compression import Compression
from stepbench.errors import PayloadRefused
from stepbench.serializers import Form, Serializer


class Raw:
    form: Form = "bytes"
    suffix = "bin"
    loses = ""
    compresses_itself = False
    memory_multiple = 1.1

    def encode(self, value: Any, _compression: Compression, /) -> Data:
        """`value` itself. Raises PayloadRefused for anything but bytes."""
        if not isinstance(value, bytes | bytearray | memoryview):
            raise PayloadRefused(
                f"raw carries bytes, not {type(value).__name__}: choose another serializer for records"
            )
        return value

    def decode(self, data: Data, /) -> Data:
        """`data` itself: any bytes are a raw payload."""
        return data

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


SERIALIZER: Serializer = Raw()
