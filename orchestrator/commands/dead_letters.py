"""`dead-letters`: what no worker could do, and why; sent back or purged when told to."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from orchestrator.commands import _fleet
from stepbench.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.upkeep.dead_letters import DeadLetters, Listing
    from stepbench.settings import Settings

HELP = "list the step messages that no worker could do, each with the reason; send them back, or purge them"
SETTINGS: tuple[str, ...] | None = (*_fleet.SETTINGS, "CHANNEL", "ORCH_LAMBDA_FUNCTION", "AWS_ENDPOINT_URL_LAMBDA")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which of them, and what to do."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--send-back",
        action="store_true",
        help="send those that a worker would run to the steps queue, or the function, again, then delete them here",
    )
    action.add_argument("--purge", action="store_true", help="delete those that are listed, after asking")
    parser.add_argument("--run", metavar="RUN_ID", type=_fleet.run_id, help="only those of one run")
    parser.add_argument(
        "--all", action="store_true", help="with --send-back: also those that a worker would refuse or not run"
    )
    parser.add_argument("--yes", action="store_true", help="purge without asking")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0. Raises UsageError, and EnvironmentRefused for what AWS refused or a steps queue without dead letters."""
    from orchestrator.upkeep.dead_letters import DeadLetters
    from stepbench import aws_errors, streams
    from stepbench.aws import AwsConfig, Clients
    from stepbench.channels import fitted, traits

    if arguments.all and not arguments.send_back:
        raise UsageError("--all is for --send-back: it says which of them go")
    its = traits(settings.channel)
    if its.own_executors:
        raise UsageError(f"--channel {settings.channel} (CHANNEL) has no dead letters: its steps are in no queue")
    settings = fitted(settings)
    _fleet.require(settings, queue=its.steps_queue)
    if arguments.purge:
        _fleet.require_somebody_to_ask(arguments.yes)
    clients = Clients(AwsConfig.of(settings))
    with redirect_stdout(streams.read_or_not(sys.stdout)), aws_errors.worded("operator", settings):
        dead_letters = DeadLetters.of(settings, clients)
        listing = dead_letters.listed(arguments.run)
        if not arguments.json:
            _print(listing)
        done = _done(dead_letters, listing, arguments)
        if arguments.json:
            _print_json(listing, done)
        elif done:
            print(f"\n{_sentence(listing, *done)}")
    return 0


def _done(dead_letters: DeadLetters, listing: Listing, arguments: argparse.Namespace) -> tuple[str, int] | None:
    """What was done, to how many; null where nothing was to be done."""
    everything = [letter.message_id for letter in listing.letters]
    if arguments.send_back:
        fit = [letter.message_id for letter in listing.letters if arguments.all or letter.kind == "understood"]
        return "sent back", dead_letters.send_back(fit)
    if arguments.purge:
        asked = everything and _fleet.may(f"Delete {len(everything)} of them for good?", arguments.yes)
        return "purged", dead_letters.purge(everything) if asked else 0
    return None


def _sentence(listing: Listing, what: str, count: int) -> str:
    left = len(listing.letters) - count
    hint = (
        " (--send-back --all sends what a worker would not run, --purge deletes)"
        if what == "sent back" and left
        else ""
    )
    return f"{count} {what}, {left} left{hint}."


def _print(listing: Listing) -> None:
    from orchestrator.upkeep.letters_text import lines

    for line in lines(listing):
        print(line, flush=True)


def _print_json(listing: Listing, done: tuple[str, int] | None) -> None:
    import json

    what, count = done or (None, None)
    counts = {"sent_back": count if what == "sent back" else None, "purged": count if what == "purged" else None}
    print(json.dumps(listing.model_dump(mode="json") | counts))
