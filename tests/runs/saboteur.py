"""Programs that obey orders to break; see `tests.runs.sabotage`."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.local import environment
from tests.runs.waiting import eventually

PATCHES = Path(__file__).parent / "sabotage"


class Saboteur:
    """Gives orders to every program that is started with its `variables`."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / "orders"
        self._orders.mkdir()
        self.variables = {
            "PYTHONPATH": os.pathsep.join([str(PATCHES), environment.cleaned({})["PYTHONPATH"]]),
            "SABOTAGE_ORDERS": str(self._orders),
        }

    def order(self, what: str, phase: str) -> None:
        """The next executor that enters `phase` shall `kill` itself, `hold` the interpreter lock or `wait`."""
        self.order_at(what, f"executor in {phase}")

    def order_at(self, what: str, point: str, passes: int = 0) -> None:
        """The next program that comes to `point`, and has passed it so many times since this was ordered."""
        written = self._orders / "being written"
        written.write_text(str(passes))
        written.rename(self._orders / f"{what}@{point}")

    def is_open(self, what: str, point: str) -> bool:
        """Whether nobody has obeyed so far."""
        return (self._orders / f"{what}@{point}").exists()

    def withdraw(self, what: str, point: str) -> bool:
        """Whether somebody had obeyed before."""
        try:
            (self._orders / f"{what}@{point}").unlink()
        except FileNotFoundError:
            return True
        return False

    def until_obeyed(self) -> None:
        """Waits until somebody has taken up every order."""
        eventually("an order is obeyed", lambda: not [file for file in self._orders.iterdir() if file.name != "go"])

    def go(self) -> None:
        """Whoever waits goes on."""
        (self._orders / "go").touch()
