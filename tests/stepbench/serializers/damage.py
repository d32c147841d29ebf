"""Decodes a serializer's payloads with bytes flipped, replaced and cut off, in a process of its own.

A process of its own, because a library that crashes on damaged input would take the tests with it, and because memory
is bounded here: a damaged pickle may ask for all there is. Prints how often damage was found, and how often it was not.
"""

from __future__ import annotations

import random
import resource
import sys

from stepbench.compression import Compression
from stepbench.errors import PayloadDamaged
from stepbench.payload import PayloadFormat
from stepbench.records import generate

MEMORY_BYTES = 2 * 10**9


def damaged(data: bytes, chance: random.Random) -> bytes:
    mutable, kind, at = bytearray(data), chance.random(), chance.randrange(len(data))
    if kind < 0.6:
        mutable[at] ^= 1 << chance.randrange(8)
    elif kind < 0.8:
        mutable[at : at + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(1, 9))
    else:
        del mutable[at:]
    return bytes(mutable)


def main(name: str, codec: str, rounds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    chosen = PayloadFormat(name, Compression(codec), "rows")
    serialized = bytes(chosen.serialize(generate(8_000, 1, 0.5)))
    chance = random.Random(1)
    found = unnoticed = 0
    for _ in range(rounds):
        data = damaged(serialized, chance)
        try:
            value = chosen.deserialize(chosen.decompress(data, chosen.serialized_bytes(data)))
        except PayloadDamaged:
            found += 1
            continue
        if not (isinstance(value, list) and all(type(row) is dict for row in value)):
            raise TypeError("damaged data decoded to something that is no records")
        unnoticed += 1
    sys.stdout.write(f"{found} {unnoticed}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
