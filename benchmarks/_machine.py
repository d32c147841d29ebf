"""The conditions under which figures came about: the machine, and what else ran on it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stepbench import machine

BUSY_SHARE = 0.05
"""Of all cores. Above it, somebody else's work is in the figures."""
BUSY_LOAD_PER_CORE = 0.25
# https://docs.kernel.org/filesystems/proc.html, the line "cpu" of /proc/stat
IDLE, IOWAIT, STEAL = 3, 4, 7


@dataclass(frozen=True)
class Conditions:
    """As they were from a `Watch`'s begin until now."""

    processor: str
    cores: int
    memory_gb: float
    load_at_start: float
    others_share: float
    """Share of all cores that went to programs other than this benchmark and what it started, or to other guests."""

    @property
    def busy(self) -> bool:
        return self.others_share > BUSY_SHARE or self.load_at_start > BUSY_LOAD_PER_CORE * self.cores

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "busy": self.busy}


class Watch:
    """Begins to watch the machine when it is made."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0]
        self._machine = machine_seconds()
        self._own_seconds = _own_seconds()

    def conditions(self) -> Conditions:
        """To be asked when all that this process started has ended: running children are not counted as ours."""
        busy, every = (now - then for now, then in zip(machine_seconds(), self._machine, strict=True))
        facts = machine.facts()
        return Conditions(
            processor=str(facts["processor"]),
            cores=machine.cores(),
            memory_gb=round(int(facts["memory_bytes"]) / 1e9, 1),
            load_at_start=self._load,
            others_share=max(0.0, busy - (_own_seconds() - self._own_seconds)) / max(every, 1e-9),
        )


def machine_seconds() -> tuple[float, float]:
    """(busy, all) seconds of all cores since the machine came up; what was stolen by other guests counts as busy."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1 : STEAL + 2]
    ticks = [int(field) / os.sysconf("SC_CLK_TCK") for field in fields]
    return sum(ticks) - ticks[IDLE] - ticks[IOWAIT], sum(ticks)


def _own_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
