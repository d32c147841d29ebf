"""Orders to a process that comes to a point of its program: files in the folder SABOTAGE_ORDERS.

An order is a file `<what>@<point>`, whose content is how many times the point is passed before the order holds. Whoever
obeys takes it away first, so that each order is carried out once.

    kill        the process ends itself with SIGKILL
    kill group  and its whole group with it: a worker and its executors
    hold        it stays in C for hours without letting go of the interpreter lock
    wait        it goes on when there is a file `go`
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

_passed: Counter[str] = Counter()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _hold() -> None:
    ctypes.PyDLL(None).sleep(100_000)


def _wait() -> None:
    while not (_folder() / "go").exists():
        time.sleep(0.01)


ORDERS: dict[str, Callable[[], None]] = {"kill": _kill, "kill group": _kill_group, "hold": _hold, "wait": _wait}


def obey(point: str) -> None:
    """This process is at `point`."""
    for what, act in ORDERS.items():
        if is_due(what, point):
            act()


def is_due(what: str, point: str) -> bool:
    """Whether `what` is ordered at `point` now; it is then taken as obeyed."""
    order = _folder() / f"{what}@{point}"
    try:
        passes = int(order.read_text() or "0")
        if _passed[f"{what}@{point}"] < passes:
            _passed[f"{what}@{point}"] += 1
            return False
        order.unlink()
    except FileNotFoundError:
        return False
    return True


def _folder() -> Path:
    return Path(os.environ["SABOTAGE_ORDERS"])
