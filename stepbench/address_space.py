"""How much more memory this process may take for a while: beyond that, allocations fail, and it lives on."""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATM = Path("/proc/self/statm")
_one_at_a_time = threading.Lock()
"""The limit is the process's: whoever put back what it found, while another one's stood, would leave that for good."""


@contextmanager
def growing_at_most(most_bytes: int) -> Iterator[None]:
    """Inside, the process's address space may grow by `most_bytes`; what asks for more gets a MemoryError.

    Of all threads together: for calls that hold the interpreter's lock. Does nothing where the kernel does not tell
    how large the process is (macOS).
    """
    with _one_at_a_time:
        if (now_bytes := _now_bytes()) is None:
            yield
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = now_bytes + most_bytes
        if most < sys.maxsize:
            resource.setrlimit(resource.RLIMIT_AS, (most if soft == resource.RLIM_INFINITY else min(soft, most), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _now_bytes() -> int | None:
    try:
        pages = int(_STATM.read_bytes().split()[0])
    except OSError:
        return None
    return pages * resource.getpagesize()
