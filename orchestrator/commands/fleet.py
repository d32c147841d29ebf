"""`fleet`: the fleets of ORCH_FLEETS on ECS: what runs, and how many tasks there are to be."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from orchestrator.commands import _fleet
from stepbench.errors import UsageError

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "list the fleets of workers on ECS, or scale one by hand"
SETTINGS: tuple[str, ...] | None = tuple(name for name in _fleet.SETTINGS if name != "ORCH_FLEET")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which fleet."""
    parser.add_argument(
        "action",
        choices=("list", "scale"),
        help="list: each fleet's tasks; scale NAME N: have N tasks, until the fleet's own scaling changes that",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a fleet of ORCH_FLEETS")
    parser.add_argument("count", nargs="?", metavar="N", help="how many tasks, at most the fleet's max")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0. Raises UsageError for a fleet or a number that cannot be meant, EnvironmentRefused for what ECS refuses."""
    from orchestrator.fleets import by_hand

    if not settings.fleets:
        raise UsageError(
            "there are no fleets: --fleets (ORCH_FLEETS) tells them, as `terraform output -raw dotenv` does"
        )
    if arguments.action == "list":
        if arguments.name is not None:
            raise UsageError(f"list is of all fleets; leave {arguments.name!r} out")
        print(*by_hand.listed(settings), sep="\n")
    else:
        print(by_hand.scaled(settings, arguments.name, arguments.count))
    return 0
