"""What makes moto's S3 slow with large objects, mended.

moto copies an object through memory on its way to the unlinked temporary file that it spools to, and reads the whole of
it for each range that is asked for.
"""

from __future__ import annotations

import mmap
import tempfile
from typing import Any


def mend() -> None:
    """Once, before the first call."""
    from moto.s3 import models

    class Spool(tempfile.SpooledTemporaryFile[bytes]):
        """Goes to disk before it is written to, where what is written is large; `large_bytes` of it are there then."""

        large_bytes = 0

        def __init__(self, max_size: int) -> None:
            super().__init__(max_size)
            self._most_in_memory_bytes = max_size

        def write(self, data: Any) -> int:
            if len(data) <= self._most_in_memory_bytes:
                self.large_bytes = 0
                return super().write(data)
            self.rollover()
            self.large_bytes = super().write(data)
            self.flush()
            return self.large_bytes

    class Tempfile:
        SpooledTemporaryFile = Spool

    class Value:
        """A key's content: bytes, or for a large one its mapped file, of which only what is asked for is read."""

        def __init__(self, original: Any) -> None:
            self._original = original

        def __get__(self, key: Any, owner: Any = None) -> Any:
            spool: Spool = key._value_buffer  # noqa: SLF001 # moto has no other
            if not spool.large_bytes:
                return self._original.__get__(key, owner)
            return mmap.mmap(spool.fileno(), spool.large_bytes, access=mmap.ACCESS_READ)

        def __set__(self, key: Any, value: Any) -> None:
            self._original.__set__(key, value)

    models.FakeKey.value = Value(models.FakeKey.value)  # type: ignore[assignment] # stands in for a property
    models.tempfile = Tempfile  # type: ignore[assignment,attr-defined] # stands in for the module
