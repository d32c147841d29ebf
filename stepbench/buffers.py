"""Bytes in memory, in whatever form a library gave them: their length, and files over them that copy nothing.

io.BytesIO copies all but bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Data = bytes | bytearray | memoryview
"""What every codec, serializer and S3 client takes; none of them copies it first."""

READ_AHEAD_BYTES = 64 * 1024


def length(data: Data) -> int:
    """Bytes of `data`, whatever the items of a view are."""
    return data.nbytes if isinstance(data, memoryview) else len(data)


def reader(data: Data) -> io.BufferedReader:
    """A buffered file that reads `data` in place."""
    return io.BufferedReader(BufferFile(data), READ_AHEAD_BYTES)


class BufferFile(io.RawIOBase):
    """Reads `data` in place: each `read` copies the part that it gives back, nothing else. For one reader at a time."""

    def __init__(self, data: Data) -> None:
        self._view = memoryview(data).cast("B").toreadonly()
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Where the next read begins, which may lie beyond the end. Raises ValueError for a place before the start."""
        position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._view)}[whence] + offset
        if position < 0:
            raise ValueError(f"there is no byte {position} to seek")
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, all that are left if it is negative or None. io.RawIOBase's own would copy them twice."""
        return bytes(self._next(len(self._view) if size is None or size < 0 else size))

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, target: WriteableBuffer, /) -> int:
        room = memoryview(target).cast("B")
        part = self._next(len(room))
        room[: len(part)] = part
        return len(part)

    def _next(self, size: int) -> memoryview:
        part = self._view[self._position : self._position + size]
        self._position += len(part)
        return part
