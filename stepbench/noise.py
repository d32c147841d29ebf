"""Bytes that do not compress, the same for the same seed on every platform and Python: blocks of SHAKE-128."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

BLOCK_BYTES = 192 * 1024
"""A multiple of 3, so that blocks of base64 join without padding."""


def blocks(seed: int) -> Iterator[bytes]:
    """Endless blocks of BLOCK_BYTES incompressible bytes."""
    number = 0
    while True:
        yield hashlib.shake_128(f"stepbench {seed} {number}".encode()).digest(BLOCK_BYTES)
        number += 1


class Letters:
    """Endless text of the 64 letters of URL-safe base64: no two pieces are alike, and it compresses to 3/4 at best."""

    def __init__(self, seed: int) -> None:
        self._blocks = blocks(seed)
        self._text = ""
        self._at = 0

    def take(self, count: int) -> str:
        """The next `count` letters; `count` must stay below the letters of a block."""
        end = self._at + count
        if end > len(self._text):
            self._text = self._text[self._at :] + base64.urlsafe_b64encode(next(self._blocks)).decode()
            self._at, end = 0, count
        piece = self._text[self._at : end]
        self._at = end
        return piece
