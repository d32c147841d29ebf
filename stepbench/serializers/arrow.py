"""`arrow`: an Arrow IPC stream. Decoding copies nothing: the table's columns lie in the payload's own bytes.

Decoding checks the structure (types, lengths, that every buffer lies within the payload) and does not look at the
values, which would cost many times the decoding itself: the checksum was compared before.
`stepbench.tables.table_to_rows`, where values are touched, checks them all first.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from stepbench.buffers import Data, length
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.serializers import Form, Serializer
from stepbench.tables import DAMAGE

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""What every whole stream ends in (Arrow columnar format, "IPC Streaming Format")."""


class Arrow:
    form: Form = "table"
    suffix = "arrow"
    loses = "whole numbers in a column that also holds broken ones come back as floats of the same value"
    compresses_itself = False
    memory_multiple = 1.5

    def encode(self, value: Any, _compression: Compression, /) -> memoryview:
        """The stream of a `pyarrow.Table`. Raises PayloadRefused for a type that IPC cannot carry.

        Written twice, first only to learn its size, which touches no value: a buffer that grows is copied as it grows.
        """
        size = pa.MockOutputStream()
        _write(value, size)
        buffer = pa.allocate_buffer(size.size())
        _write(value, pa.FixedSizeBufferWriter(buffer))
        # Arrow's own view is of signed bytes, which equals none of unsigned ones.
        return memoryview(buffer).cast("B").toreadonly()

    def decode(self, data: Data, /) -> pa.Table:
        """The table. Raises PayloadDamaged for anything but one whole stream."""
        if bytes(data[-8:]) != END_OF_STREAM:
            raise PayloadDamaged("the payload is no whole Arrow stream: its end is missing")
        try:
            source = pa.BufferReader(data)
            with pa.ipc.open_stream(source) as stream:
                table = stream.read_all()
            if source.tell() != length(data):
                raise PayloadDamaged(f"the payload goes on after the Arrow stream's end at byte {source.tell()}")
            table.validate()
        except DAMAGE as error:
            raise PayloadDamaged(f"the payload is no Arrow stream: {error}") from error
        return table

    def serialized_bytes(self, data: Data, /) -> int:
        return length(data)


def _write(table: pa.Table, sink: pa.NativeFile) -> None:
    try:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    except pa.ArrowException as error:
        raise PayloadRefused(f"arrow cannot carry this table: {error}") from error


SERIALIZER: Serializer = Arrow()
