"""Parts of one object, read by threads into one buffer: for libraries that read a part at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from stepbench.s3_clients import TransferOptions
from stepbench.s3_clients._objects import parts_of

ReadPart = Callable[[int, int, memoryview], None]
"""(begin, end, room): fills the room with the object's bytes from begin to end."""


class PartReader:
    """As many threads as parts may be read at once, kept from one object to the next."""

    def __init__(self, transfer: TransferOptions) -> None:
        self._part_bytes = transfer.part_bytes
        self._threads = ThreadPoolExecutor(transfer.part_concurrency, thread_name_prefix="part")

    def read(self, buffer: bytearray, read_part: ReadPart) -> None:
        """Raises what the first part that failed raised, once none is under way any more."""
        parts = parts_of(len(buffer), self._part_bytes)
        with memoryview(buffer) as room:
            reading = [self._threads.submit(read_part, begin, end, room[begin:end]) for begin, end in parts]
            try:
                for part in reading:
                    part.result()
            finally:
                for part in reading:
                    part.cancel()
                wait(reading)
