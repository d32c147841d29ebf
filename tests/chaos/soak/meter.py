"""Reads the memory and the open files of processes from /proc, again and again."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from time import monotonic

from tests.chaos.soak.trend import trend
from tests.processes import PROC

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Meter:
    def __init__(self, pids: Mapping[str, int]) -> None:
        """`pids`: what each process is called, and its id."""
        self._pids = pids
        self.memory_mb: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.open_files: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def read(self) -> None:
        """Raises FileNotFoundError where a process is gone."""
        for name, pid in self._pids.items():
            resident_pages = int((PROC / str(pid) / "statm").read_text().split()[1])
            self.memory_mb[name].append((monotonic(), resident_pages * PAGE_BYTES / 1e6))
            self.open_files[name].append((monotonic(), len(list((PROC / str(pid) / "fd").iterdir()))))

    def lines(self) -> Iterator[str]:
        """A line for each figure of each process."""
        for name in self._pids:
            for what, readings in (("memory, MB", self.memory_mb[name]), ("open files", self.open_files[name])):
                found = trend(readings)
                yield (
                    f"{name}, {what}: {found.last:.1f} at the end, {found.least:.1f} to {found.most:.1f}, "
                    f"slope {found.per_hour:+.2f} ± {found.error_per_hour:.2f} per hour"
                )
