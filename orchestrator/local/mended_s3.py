"""What makes moto's S3 slow with large objects, and two conditional writes at once both succeed, mended.

moto copies an object through memory on its way to the unlinked temporary file that it spools to, and reads the whole of
it for each range that is asked for. It looks whether a condition holds, and then writes.
"""

from __future__ import annotations

import mmap
import tempfile
from threading import Lock
from typing import Any


def mend() -> None:
    """Once, before the first call."""
    _let_one_conditional_write_win()
    _move_large_objects_once()


def _let_one_conditional_write_win() -> None:
    from moto.s3.responses import S3Response

    put_object, lock = S3Response.put_object, Lock()

    def put_alone(self: Any) -> Any:
        if not (self.headers.get("If-Match") or self.headers.get("If-None-Match")):
            return put_object(self)
        with lock:
            return put_object(self)

    S3Response.put_object = put_alone  # type: ignore[method-assign] # ours in moto's place


def _move_large_objects_once() -> None:
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
