"""`parquet`: a Parquet file. COMPRESSION becomes its own codec, at our pinned level, column by column and page by page.

So there is no pass over the finished bytes: compressing is part of `serialize`, decompressing of `deserialize`. Codec
names are Parquet's: `lz4` is its LZ4_RAW, `none` its UNCOMPRESSED. The size before compression is what the footer
tells: the size that the file would have if its column chunks were stored at their uncompressed size.
That is also what bounds decoding. A hostile file can still unfold to more, by run lengths or by pages that contradict
the footer; against that stands the checksum.
"""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from stepbench.buffers import Data
from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.serializers import Form, Serializer
from stepbench.tables import DAMAGE

FRAME_BYTES = 12
"""What a file holds beside its column chunks and its footer: magic bytes at both ends and the footer's length."""


class Parquet:
    form: Form = "table"
    suffix = "parquet"
    loses = "whole numbers in a column that also holds broken ones come back as floats of the same value"
    compresses_itself = True
    memory_multiple = 5.0

    def encode(self, value: Any, compression: Compression, /) -> bytes:
        """The file of a `pyarrow.Table`. Raises PayloadRefused for a type that Parquet cannot carry."""
        buffer = io.BytesIO()
        try:
            parquet.write_table(value, buffer, compression=compression.codec, compression_level=compression.level)
        except pa.ArrowException as error:
            raise PayloadRefused(f"parquet cannot carry this table: {error}") from error
        return buffer.getvalue()

    def decode(self, data: Data, /) -> pa.Table:
        """The table. Raises PayloadDamaged for anything but a whole Parquet file."""
        try:
            with parquet.ParquetFile(pa.BufferReader(data)) as file:
                return file.read()
        except DAMAGE as error:
            raise PayloadDamaged(f"the payload is no Parquet file: {error}") from error

    def serialized_bytes(self, data: Data, /) -> int:
        """What the file's size would be without its codec, from its footer. Raises PayloadDamaged."""
        try:
            footer = parquet.read_metadata(pa.BufferReader(data))
            # Subtle: not from the column chunks. A damaged footer makes pyarrow's `column()` abort the whole process.
            groups = [footer.row_group(number).total_byte_size for number in range(footer.num_row_groups)]
        except DAMAGE as error:
            raise PayloadDamaged(f"the payload is no Parquet file: {error}") from error
        size: int = sum(groups) + footer.serialized_size + FRAME_BYTES
        return size


SERIALIZER: Serializer = Parquet()
