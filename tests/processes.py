"""Processes as tests see them: which of a group are alive, and waiting until something holds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def wait_until(holds: Callable[[], bool], what: str, deadline_seconds: float = 60.0) -> None:
    """Looks again and again until `holds()`; fails with `what` at a deadline that no sound machine reaches."""
    ends = time.monotonic() + deadline_seconds
    while not holds():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline_seconds:g} s: {what}")
        time.sleep(0.01)


def alive_in_group(group: int) -> list[int]:
    """Process ids of the group's members that run; those that have ended and are only not reaped yet do not."""
    if not PROC.exists():
        answer = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
        rows = [line.split() for line in answer.stdout.splitlines()]
        return [int(pid) for pid, of_group, state in rows if int(of_group) == group and not state.startswith("Z")]
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            state, _, of_group = stat.rpartition(")")[2].split()[:3]
            if int(of_group) == group and state not in "ZX":
                found.append(int(entry.name))
    return found
