"""What the machine was doing beside a run: CPU time that the hypervisor gave to others, and the load."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

STAT = Path("/proc/stat")
COUNTED = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; what follows is a part of user. See proc_stat(5)."""
STEAL = 7


def cpu_ticks(stat: Path = STAT) -> tuple[int, ...] | None:
    """Ticks of all CPUs since boot, by kind; null where the kernel does not tell."""
    try:
        words = stat.read_text().split("\n", 1)[0].split()
        ticks = tuple(int(word) for word in words[1 : COUNTED + 1])
    except (OSError, ValueError):
        return None
    return ticks if len(ticks) == COUNTED else None


def steal_share(before: Sequence[int] | None, after: Sequence[int] | None) -> float | None:
    """Between two looks; null where either is, or no tick was counted."""
    if before is None or after is None:
        return None
    whole = sum(after) - sum(before)
    return round(max(0, after[STEAL] - before[STEAL]) / whole, 6) if whole > 0 else None


def load_1min() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None
