"""Payloads that were right, damaged: every serializer, every compression."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

from stepbench import registry
from stepbench.compression import LEVELS
from stepbench.errors import PayloadDamaged
from stepbench.payload import Materialize
from stepbench.records import generate, raw_bytes
from stepbench.rows import Rows
from tests.chaos.inputs import payloads
from tests.chaos.inputs.kind import Kind
from tests.chaos.inputs.mutation import damaged
from tests.chaos.inputs.payloads import Stored, format_of

SERIALIZERS = registry.choices("stepbench.serializers")
_ODD: Rows = [
    {"id": 1, "text": "é\u2028\U0001f600", "none": None, "yes": True, "float": -0.0, "nested": {"list": [1, 2, 3]}},
    {"id": 2**62, "text": "", "none": None, "yes": False, "float": 1e308, "nested": {"list": []}},
]


@cache
def _right(serializer: str, compression: str, records: int) -> tuple[bytes, int]:
    """Object and serialized size."""
    chosen = format_of(serializer, compression, "rows")
    rows = generate(6_000, 1, 0.5) if records else _ODD
    serialized = chosen.serialize(raw_bytes(6_000, 1, 0.5) if chosen.form == "bytes" else rows)
    return bytes(chosen.compress(serialized)), chosen.serialized_bytes(serialized)


def _maker(serializer: str) -> Callable[[Random], Stored]:
    def make(random: Random) -> Stored:
        compression = random.choice(("none", "none", *LEVELS))
        materialize: Materialize = random.choice(("native", "rows"))
        right, serialized_bytes = _right(serializer, compression, random.randrange(2))
        data = damaged(right, random)
        return Stored(
            serializer,
            compression,
            materialize,
            _declared(random, serializer, compression, data, serialized_bytes),
            data,
        )

    return make


def _declared(random: Random, serializer: str, compression: str, data: bytes, serialized_bytes: int) -> int:
    """Mostly what fits, so that more than the comparison of sizes is tried."""
    if random.random() < 0.1:
        return random.choice((0, 1, serialized_bytes, 10 * serialized_bytes, 2**28, 2**40))
    if serializer == "parquet":
        try:
            return format_of(serializer, compression, "native").serialized_bytes(data)
        except PayloadDamaged:
            return serialized_bytes
    return len(data) if compression == "none" else serialized_bytes


KINDS = tuple(
    Kind(f"payloads of {serializer}", _maker(serializer), payloads.take, payloads.most_bytes, payloads.FORESEEN)
    for serializer in SERIALIZERS
)
