"""`fleet`: the fleets of ORCH_FLEETS: what runs on ECS, how many tasks there are to be, and whether they answer yet."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from orchestrator.commands import _fleet, doctor
from stepbench.errors import UsageError

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "list the fleets of workers on ECS, scale one by hand, or wait for its workers"
SETTINGS: tuple[str, ...] | None = tuple(name for name in doctor.SETTINGS or () if name != "ORCH_FLEET")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which fleet."""
    parser.add_argument(
        "action",
        choices=("list", "scale", "wait"),
        help="list: each fleet's tasks; scale NAME N: have N tasks, until the fleet's own scaling changes that; wait "
        "NAME N: until N workers have answered, as doctor does; fewer in time is exit code 3",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a fleet of ORCH_FLEETS")
    parser.add_argument("count", nargs="?", metavar="N", help="how many tasks, at most the fleet's max, or workers")
    parser.add_argument(
        "--wait", type=doctor.seconds, default=600.0, metavar="SECONDS", help="wait no longer than so (default 600)"
    )


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0, or 3 where too few workers answered.

    Raises UsageError for a fleet or a number that cannot be meant, EnvironmentRefused for what AWS refuses.
    """
    from orchestrator.fleets import by_hand

    if not settings.fleets:
        raise UsageError("there are no fleets: --fleets (ORCH_FLEETS) tells them, as a stack's dotenv output does")
    if arguments.action == "list":
        if arguments.name is not None:
            raise UsageError(f"list is of all fleets; leave {arguments.name!r} out")
        print(*by_hand.listed(settings), sep="\n")
        return 0
    if arguments.name is None or arguments.count is None:
        raise UsageError(f"{arguments.action} wants a fleet and a number: {arguments.action} NAME N")
    if arguments.action == "scale":
        print(by_hand.scaled(settings, arguments.name, arguments.count))
        return 0
    return _wait(by_hand.for_fleet(settings, arguments.name), by_hand.number(arguments.count, least=1), arguments.wait)


def _wait(settings: Settings, workers: int, seconds: float) -> int:
    """Whatever else there is to say of the fleet is said, and is no reason to go on waiting."""
    from orchestrator.doctor.examination import Examination
    from orchestrator.doctor.text import show
    from stepbench import streams

    _fleet.require(settings)
    examination = Examination(settings, seconds, workers)
    with redirect_stdout(streams.read_or_not(sys.stdout)):
        show(examination.checks(), sys.stdout)
    return 0 if len(examination.diagnosis().workers) >= workers else doctor.EXIT_WRONG
