"""The peak of this process's resident memory, as the kernel keeps it."""

from __future__ import annotations

import os
import re
from pathlib import Path

PROCESS = Path("/proc/self")
_STATUS_BYTES = 8_192
_PEAK = re.compile(rb"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


class PeakMemory:
    """Asks by files that stay open: one system call each time, because executors ask within every step."""

    def __init__(self, process: Path = PROCESS) -> None:
        """Where the kernel has no such files (macOS), nothing can be told."""
        self._status = _opened(process / "status", os.O_RDONLY)
        self._clear_refs = _opened(process / "clear_refs", os.O_WRONLY)

    def reset(self) -> None:
        """Begin a new peak."""
        if self._clear_refs is not None:
            # https://docs.kernel.org/filesystems/proc.html: 5 resets the peak resident set size
            os.pwrite(self._clear_refs, b"5", 0)

    def so_far(self) -> int | None:
        """Bytes, since `reset`; null where it cannot be told."""
        if self._status is None or self._clear_refs is None:
            return None
        found = _PEAK.search(os.pread(self._status, _STATUS_BYTES, 0))
        return int(found[1]) * 1024 if found else None


def _opened(path: Path, flags: int) -> int | None:
    try:
        return os.open(path, flags)
    except OSError:
        return None
