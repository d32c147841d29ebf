"""What stands in a bucket, as a step takes it: what it was announced to be, and the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged, PayloadRefused
from stepbench.payload import Materialize, PayloadFormat, record_count
from tests.chaos.figures import PromiseBroken
from tests.chaos.inputs.kind import MB

FORESEEN = (PayloadDamaged, PayloadRefused)
SLACK_BYTES = 80 * MB
"""What a library takes for itself whatever the payload: pools, threads, buffers."""
MULTIPLE = 300
"""Objects in memory over bytes declared, at the very worst: a byte of pickle makes an empty set of 232 bytes."""


@dataclass(frozen=True)
class Stored:
    """An object and what its step message says of it."""

    serializer: str
    compression: str
    materialize: Materialize
    declared_bytes: int
    data: bytes
    cells: int = 0
    """Values that it holds without any bytes for each: runs of one value, nulls. Nothing declares them."""

    def __repr__(self) -> str:
        return (
            f"{self.serializer}, compression {self.compression}, {self.materialize}, {self.declared_bytes} bytes "
            f"declared, {len(self.data)} stored: {self.data.hex()}"
        )


@cache
def format_of(serializer: str, compression: str, materialize: Materialize) -> PayloadFormat:
    return PayloadFormat(serializer, Compression.parse(compression), materialize)


def most_bytes(stored: Stored) -> int:
    return MULTIPLE * (max(stored.declared_bytes, len(stored.data)) + stored.cells) + SLACK_BYTES


def take(stored: Stored) -> None:
    """From the object to the value and on to what the next step would get."""
    chosen = format_of(stored.serializer, stored.compression, stored.materialize)
    data = chosen.decompress(stored.data, stored.declared_bytes)
    value = chosen.deserialize(data)
    if chosen.form == "rows" and not (isinstance(value, list) and all(type(row) is dict for row in value)):
        raise PromiseBroken("other promises broken", f"it became a {type(value).__name__}, which are no records")
    record_count(value)
    chosen.compress(chosen.serialize(value))
