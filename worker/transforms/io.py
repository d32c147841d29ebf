"""Writes a stated amount of scratch data (TRANSFORM_IO_MB), reads it back and hands the records on as they are.

The file has no name from the start, so that nothing is left behind even by a kill. It is flushed to the disk once
before it is read; the kernel may still serve the reads from memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

PARAMETERS = ("transform_io_mb",)
CHUNK_BYTES = 1_000_000


def apply(value: Any, parameters: Mapping[str, float]) -> Any:
    left = int(parameters["transform_io_mb"] * 1e6)
    chunk = os.urandom(CHUNK_BYTES)
    with tempfile.TemporaryFile(prefix="stepbench-", buffering=0) as scratch:
        while left > 0:
            left -= scratch.write(chunk[:left])
        os.fsync(scratch.fileno())
        scratch.seek(0)
        while scratch.read(CHUNK_BYTES):
            pass
    return value
