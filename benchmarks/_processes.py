"""What other processes used: CPU time and memory, as the kernel accounts for them. Linux only."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
MIB = 2**20
# Linux: the clock of another process's CPU time is named by its inverted id and these bits; see clock_getcpuclockid(3).
# It counts threads that have ended too, in nanoseconds, where /proc/PID/stat has ticks of 10 ms.
_CLOCK_OF_PROCESS = 2


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes that run, all their threads together. Raises OSError if one is gone."""
    return sum(time.clock_gettime_ns((~pid << 3) | _CLOCK_OF_PROCESS) for pid in pids) / 1e9


def with_descendants(pid: int) -> list[int]:
    """The process and all that it and its children started and that still run."""
    found = [pid]
    for task in (PROC / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            found += with_descendants(int(child))
    return found


def rss_mib(pid: int) -> float:
    """Resident memory, pages shared with others counted in full."""
    return _kilobytes(PROC / str(pid) / "smaps_rollup", "Rss") * 1024 / MIB


def pss_mib(pid: int) -> float:
    """Resident memory, each shared page divided by the number of processes that have it."""
    return _kilobytes(PROC / str(pid) / "smaps_rollup", "Pss") * 1024 / MIB


def peak_rss_mib(pid: int) -> float:
    """The most resident memory so far. Raises OSError or LookupError when the process has ended."""
    return _kilobytes(PROC / str(pid) / "status", "VmHWM") * 1024 / MIB


def _kilobytes(path: Path, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{path} has no {field}")
    return int(found[1])
