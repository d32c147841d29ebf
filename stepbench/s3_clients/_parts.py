"""Parts of one object, read by threads into one buffer: for libraries that read a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait

ReadPart = Callable[[int, int, memoryview], None]
"""(begin, end, room): fills the room with the object's bytes from begin to end."""


class PartReader:
    """So many threads, kept from one object to the next."""

    def __init__(self, concurrency: int) -> None:
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="part")

    def read(self, buffer: bytearray, parts: Iterable[tuple[int, int]], read_part: ReadPart) -> None:
        """Raises what the first part that failed raised, once none is under way any more."""
        with memoryview(buffer) as room:
            reading = [self._threads.submit(read_part, begin, end, room[begin:end]) for begin, end in parts]
            try:
                for part in reading:
                    part.result()
            finally:
                for part in reading:
                    part.cancel()
                wait(reading)
