"""A payload's way between the object in S3 and the value in memory, one method for each timed phase.

    download ▸ check ▸ decompress ▸ deserialize ▸ transform ▸ serialize ▸ compress ▸ checksum ▸ upload

`PayloadFormat` is the triple that decides it: serializer, compression, and whether tables are turned into Python rows
(`materialize`). Nothing here copies a payload for its own sake: each method hands on what the library call gave it.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from stepbench import serializers
from stepbench.buffers import Data
from stepbench.compression import Compression
from stepbench.errors import ChecksumMismatch, PayloadDamaged, SizeMismatch
from stepbench.rows import Rows

Materialize = Literal["native", "rows"]


ROWS_MEMORY_MULTIPLE = 4.5
"""What making Python rows of a table, or a table of rows, adds to the serializer's own peak."""


class PayloadFormat:
    """How one payload is written and read. Stateless after construction.

    Construction imports the serializer and its libraries, so that no phase pays for that. Raises UsageError for an
    unknown serializer or one whose dependency is missing.
    """

    def __init__(self, serializer: str, compression: Compression, materialize: Materialize = "native") -> None:
        self.serializer_name = serializer
        self.compression = compression
        self.materialize = materialize
        self._serializer = serializers.load(serializer)
        self._makes_rows = materialize == "rows" and self._serializer.form == "table"
        if self._serializer.form == "table":
            import stepbench.tables  # noqa: F401 - imports pyarrow now rather than inside a timed phase

    @property
    def form(self) -> serializers.Form:
        """The form of the value that `deserialize` gives and `serialize` takes."""
        return "rows" if self._makes_rows else self._serializer.form

    @property
    def suffix(self) -> str:
        """Ending of the object's key, without a leading dot: `json.zst`, `parquet`."""
        own = self._serializer.suffix
        if self._serializer.compresses_itself or not self.compression.suffix:
            return own
        return f"{own}.{self.compression.suffix}"

    @property
    def memory_multiple(self) -> float:
        """Peak memory of `serialize` or `deserialize`, as a multiple of the payload's size as JSON."""
        return self._serializer.memory_multiple + (ROWS_MEMORY_MULTIPLE if self._makes_rows else 0.0)

    def decompress(self, data: Data, serialized_bytes: int) -> Data:
        """The serialized form of a downloaded payload; it has, or states, exactly the declared size.

        A self-compressing format passes through: its codec works inside `deserialize`, and this compares the size
        that its footer states. Raises SizeMismatch, PayloadDamaged.
        """
        if not self._serializer.compresses_itself:
            return self.compression.decompress(data, serialized_bytes)
        stated = self._serializer.serialized_bytes(data)
        if stated != serialized_bytes:
            raise SizeMismatch(
                f"the payload's footer states {stated} bytes before compression, "
                f"its producer declared {serialized_bytes}"
            )
        return data

    def deserialize(self, data: Data) -> Any:
        """The value that `data` holds, in this format's form. Raises PayloadDamaged."""
        value = self._serializer.decode(data)
        if not self._makes_rows:
            return value
        from stepbench.tables import table_to_rows

        return table_to_rows(value)

    def serialize(self, value: Any) -> Data:
        """Bytes of `value`, which is of this format's form. Raises PayloadRefused for what cannot be carried."""
        if self._makes_rows:
            from stepbench.tables import rows_to_table

            value = rows_to_table(value)
        return self._serializer.encode(value, self.compression)

    def compress(self, data: Data) -> Data:
        """What is uploaded, of the serialized form; `data` itself where nothing is left to compress."""
        return data if self._serializer.compresses_itself else self.compression.compress(data)

    def serialized_bytes(self, data: Data) -> int:
        """Size before compression of what `serialize` gave. Raises PayloadDamaged for anything else."""
        return self._serializer.serialized_bytes(data)

    def value_of(self, records: Rows) -> Any:
        """`records` in this format's form, for the first payload. Raises PayloadRefused for what cannot be carried."""
        if self.form == "bytes":
            raise TypeError("raw payloads are made of bytes, not of records")
        if self.form == "rows":
            return records
        from stepbench.tables import rows_to_table

        return rows_to_table(records)


def record_count(value: Any) -> int | None:
    """Rows of a payload's value in memory; None for bytes, which have none."""
    if isinstance(value, bytes | bytearray | memoryview):
        return None
    return len(value) if isinstance(value, list) else int(value.num_rows)


def checksum(data: Data) -> str:
    """`sha256:<hex>` of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def check(data: Data, expected: str) -> None:
    """Compares `data` with the checksum its producer announced. Raises ChecksumMismatch, with both values."""
    if not expected.startswith("sha256:"):
        raise PayloadDamaged(f"the announced checksum {expected[:80]!r} is not of the form sha256:<hex>")
    actual = checksum(data)
    if actual != expected:
        raise ChecksumMismatch(f"the payload's checksum is {actual}, its producer announced {expected}")
