"""Bytes that were right, made wrong: flipped, overwritten, cut, moved, repeated."""

from __future__ import annotations

from random import Random

NUMBERS = [
    number.to_bytes(width, order, signed=False)
    for width in (1, 2, 4, 8)
    for number in (0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1)
    for order in ("little", "big")
]
"""Those that sizes, counts and offsets overflow at."""
EDGE_BYTES = 600
"""Where formats keep what they say about the rest."""


def damaged(data: bytes, random: Random) -> bytes:
    """`data` with one to four wounds."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(WOUNDS)(data, random)
    return data


def _place(data: bytes, random: Random) -> int:
    edge = min(len(data), EDGE_BYTES)
    return random.choice((random.randint(0, len(data)), random.randint(0, edge), len(data) - random.randint(0, edge)))


def _flip(data: bytes, random: Random) -> bytes:
    at = min(_place(data, random), len(data) - 1)
    return data if at < 0 else data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _overwrite(data: bytes, random: Random) -> bytes:
    at, piece = _place(data, random), random.randbytes(random.randint(1, 16))
    return data[:at] + piece + data[at + len(piece) :]


def _lie(data: bytes, random: Random) -> bytes:
    at, number = _place(data, random), random.choice(NUMBERS)
    return data[:at] + number + data[at + len(number) :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _delete(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + random.randint(1, 40) :]


def _insert(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + random.randbytes(random.randint(1, 40)) + data[at:]


def _repeat(data: bytes, random: Random) -> bytes:
    begin = _place(data, random)
    end = random.choice((begin + random.randint(1, 200), len(data)))
    return data[:end] + data[begin:end] * random.choice((1, 1, 10)) + data[end:]


def _swap(data: bytes, random: Random) -> bytes:
    first, second, third = sorted(_place(data, random) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


WOUNDS = (_flip, _flip, _overwrite, _lie, _lie, _cut, _delete, _insert, _repeat, _swap)
