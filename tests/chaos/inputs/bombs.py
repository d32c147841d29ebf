"""Compressed forms that unfold to far more than declared, or state lengths that are lies."""

from __future__ import annotations

from functools import cache
from random import Random

import pyarrow as pa

from stepbench.compression import LEVELS
from tests.chaos.inputs import payloads
from tests.chaos.inputs.kind import MB, Kind
from tests.chaos.inputs.mutation import damaged
from tests.chaos.inputs.payloads import Stored

CODECS = tuple(codec for codec in LEVELS if codec != "none")
SLACK_BYTES = 30 * MB
UNFOLDED_BYTES = (1 * MB, 100 * MB)


@cache
def _bomb(codec: str, unfolded_bytes: int) -> bytes:
    packed: bytes = pa.Codec(codec).compress(bytes(unfolded_bytes), asbytes=True)
    return packed


def _make(random: Random) -> Stored:
    codec, unfolded_bytes = random.choice(CODECS), random.choice(UNFOLDED_BYTES)
    data = _bomb(codec, unfolded_bytes)
    if random.random() < 0.5:
        data = random.choice((damaged(data, random), data * 2, data + b"x", _bomb(random.choice(CODECS), MB)))
    declared_bytes = random.choice((0, 1, 1_000, 65_536, MB, 100 * MB, 2**40, 2**62))
    return Stored("raw", codec, "native", declared_bytes, data)


def _take(stored: Stored) -> None:
    payloads.format_of(stored.serializer, stored.compression, "native").decompress(stored.data, stored.declared_bytes)


def _most_bytes(stored: Stored) -> int:
    """What is declared may be taken, where it is there, twice: once more where the library joins pieces."""
    return 2 * min(stored.declared_bytes, max(UNFOLDED_BYTES) * 3) + len(stored.data) + SLACK_BYTES


KINDS = (Kind("decompression bombs", _make, _take, _most_bytes, payloads.FORESEEN),)
