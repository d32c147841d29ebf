"""Executors that obey orders to break; see `sabotage/sitecustomize.py`."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.local import environment
from tests.runs.waiting import eventually

PATCHES = Path(__file__).parent / "sabotage"


class Saboteur:
    """Gives orders to the executors of every worker that is started with its `variables`."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / "orders"
        self._orders.mkdir()
        self.variables = {
            "PYTHONPATH": os.pathsep.join([str(PATCHES), environment.cleaned({})["PYTHONPATH"]]),
            "SABOTAGE_ORDERS": str(self._orders),
        }

    def order(self, what: str, phase: str) -> None:
        """The next executor that enters `phase` shall `kill` itself, `hold` the interpreter lock or `wait`."""
        (self._orders / f"{what}-{phase}").touch()

    def until_obeyed(self) -> None:
        """Waits until an executor has taken up every order."""
        eventually("an executor obeys", lambda: not [file for file in self._orders.iterdir() if file.name != "go"])

    def go(self) -> None:
        """Whoever waits goes on."""
        (self._orders / "go").touch()
