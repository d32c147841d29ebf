"""Words that every report of this folder uses alike."""

from __future__ import annotations

from orchestrator.report import units

SECONDS_PER_DAY = 86_400


def counted(count: int, noun: str) -> str:
    """`1 message`, `2,000 messages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def age(seconds: float) -> str:
    """`45 s`, `3 h 07 min`, `12 days`."""
    days = int(seconds // SECONDS_PER_DAY)
    return f"{days} days" if days > 1 else units.clock(seconds)
