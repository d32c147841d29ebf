"""`cost`: what runs cost on AWS, from their metrics files and a dated price file."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.errors import UsageError

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "print what runs cost on AWS: for the runs, for 1,000 steps and for a month"
SETTINGS: tuple[str, ...] | None = ("METRICS_DIR",)

MOST_STEPS_PER_HOUR = Decimal(10**9)
MOST_DAYS = Decimal(36_500)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs, where, on what and how often."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="FOLDER|FILE|RUN_ID",
        help="the folder of an experiment or of metrics files, metrics files or run ids, one bill over all of them; "
        "without any, the newest run of --metrics-dir",
    )
    parser.add_argument("--region", metavar="REGION", help="region to cost the runs in; the runs' own where not given")
    parser.add_argument(
        "--instance-type",
        metavar="TYPE",
        help="cost the steps' time too: a type of EC2 such as c7g.large, fargate:VCPU:GB or lambda:MB, the last two "
        "with :arm64 if they are that",
    )
    parser.add_argument("--rate", metavar="N", help="steps in an hour: what a month of that costs")
    parser.add_argument("--keep-days", metavar="N", help="days for which payloads stay in S3; default 7")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="a price file in place of the one that is shipped")
    parser.add_argument("--json", action="store_true", help="print one JSON object, dollars as exact decimal texts")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0; raises UsageError for files that are missing or damaged and for what has no price."""
    from orchestrator.cost import prices
    from orchestrator.cost.costs import KEEP_DAYS, Wanted, costs_of
    from orchestrator.cost.targets import files_of
    from orchestrator.cost.text import lines_of

    wanted = Wanted(
        region=arguments.region,
        instance_type=arguments.instance_type,
        steps_per_hour=_number("--rate", arguments.rate, MOST_STEPS_PER_HOUR),
        keep_days=KEEP_DAYS if (days := _number("--keep-days", arguments.keep_days, MOST_DAYS)) is None else days,
    )
    known = prices.read(arguments.prices or prices.SHIPPED)
    costs = costs_of(files_of(settings.metrics_dir, arguments.targets), known, wanted)
    print(costs.model_dump_json() if arguments.json else "\n".join(lines_of(costs)))
    return 0


def _number(flag: str, text: str | None, most: Decimal) -> Decimal | None:
    """Raises UsageError for anything but a number from 0 to `most`."""
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not (number.is_finite() and 0 <= number <= most):
        raise UsageError(f"{flag} {text} is not a number from 0 to {most:,}")
    return number
