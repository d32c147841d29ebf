"""A readable file over any bytes-like object, without the copy that io.BytesIO makes of all but bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from stepbench.compression import Data

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 64 * 1024


class _View(io.RawIOBase):
    def __init__(self, data: Data) -> None:
        self._view = memoryview(data).cast("B")
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer, /) -> int:
        room = memoryview(target).cast("B")
        chunk = self._view[self._at : self._at + len(room)]
        room[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)


def reader(data: Data) -> io.BufferedReader:
    """A buffered file that reads `data` in place."""
    return io.BufferedReader(_View(data), BUFFER_BYTES)


def length(data: Data) -> int:
    """Bytes of `data`."""
    return data.nbytes if isinstance(data, memoryview) else len(data)
