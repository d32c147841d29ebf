"""Dead letters for a person. Whatever a message says is made safe for a terminal first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from orchestrator.report import units
from orchestrator.upkeep.dead_letters import Letter, Listing
from orchestrator.upkeep.words import counted

LONGEST_REASON = 400
LONGEST_NAME = 64


def lines(listing: Listing) -> Iterator[str]:
    """Lines for a terminal."""
    name = listing.dead_letter_queue_url.rpartition("/")[2]
    yield f"{counted(len(listing.letters), 'dead letter')} in {name}"
    if listing.hidden:
        yield f"About {listing.hidden} more are hidden: somebody else has just received them, and they come back."
    if listing.of_other_queues:
        yield f"{counted(listing.of_other_queues, 'message')} of other queues, which share it, left alone."
    if listing.cut_short:
        yield "There are more than one pass can look at: send back or purge these, then look again."
    for letter in listing.letters:
        yield ""
        yield from _letter(letter)


def _letter(letter: Letter) -> Iterator[str]:
    sent = f"{datetime.fromisoformat(letter.sent_at):%Y-%m-%d %H:%M:%S} UTC"
    message = units.shortened(letter.message_id, LONGEST_NAME)
    yield f"{message}, sent {sent}, received {counted(letter.receive_count, 'time')}"
    told = (("run", letter.run), ("chain", letter.chain), ("step", letter.step), ("attempt", letter.attempt))
    known = [f"{name} {units.shortened(str(value), LONGEST_NAME)}" for name, value in told if value is not None]
    if known:
        yield f"    {', '.join(known)}"
    yield f"    {units.shortened(letter.reason, LONGEST_REASON)}"
