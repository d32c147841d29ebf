"""Breaks executors on purpose, from inside, at the begin of a phase: what a crash or a stuck C library does there.

Python imports this at the start of every process that has this folder in its PYTHONPATH. In an executor, `PhaseTimer`
then looks for an order in the folder SABOTAGE_ORDERS as it enters a phase: a file `<what>-<phase>`, which it takes
away first, so that each order is carried out once.

    kill   the process ends itself with SIGKILL
    hold   it stays in C for hours without letting go of the interpreter lock
    wait   it goes on when there is a file `go`
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def _kill(orders: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hold(orders: Path) -> None:
    ctypes.PyDLL(None).sleep(100_000)


def _wait(orders: Path) -> None:
    while not (orders / "go").exists():
        time.sleep(0.01)


ORDERS: dict[str, Callable[[Path], None]] = {"kill": _kill, "hold": _hold, "wait": _wait}


def _obey(orders: Path, phase: str) -> None:
    for what, act in ORDERS.items():
        try:
            (orders / f"{what}-{phase}").unlink()
        except FileNotFoundError:
            continue
        act(orders)


def _sabotage(orders: Path) -> None:
    from stepbench import timing
    from stepbench.samples import Phase

    class SabotagedTimer(timing.PhaseTimer):
        def __init__(self, entering: Callable[[Phase | None], None] = lambda phase: None) -> None:
            def entering_and_obeying(phase: Phase | None) -> None:
                entering(phase)
                _obey(orders, str(phase))

            super().__init__(entering_and_obeying)

    timing.PhaseTimer = SabotagedTimer  # type: ignore[misc] # for whoever imports it from now on


if "worker.executor" in sys.orig_argv and "SABOTAGE_ORDERS" in os.environ:
    _sabotage(Path(os.environ["SABOTAGE_ORDERS"]))
