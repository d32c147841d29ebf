"""What a part of the harness tried, and what it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

Harm = Literal["samples lost", "samples counted twice", "keys written twice", "hangs", "other promises broken"]
HARMS: tuple[Harm, ...] = get_args(Harm)
TRIALS = ("schedules", "kills", "faults", "inputs")
"""What the parts are summed up by: figures of these names, and those of their kinds, such as `kills of workers`."""


class PromiseBroken(AssertionError):
    """What must never happen has happened."""

    def __init__(self, harm: Harm, sentence: str) -> None:
        super().__init__(sentence)
        self.harm = harm


@dataclass
class Figures:
    """`tried`: how much of what. `harms`: the goal for each is 0. `failures`: a text for each, and how to repeat it."""

    tried: Counter[str] = field(default_factory=Counter)
    harms: Counter[Harm] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    killed_at: Counter[str] = field(default_factory=Counter)
    """Of the kills tried, how many between which two actions."""
    notes: list[str] = field(default_factory=list)
    """Figures that are no counts, each a line."""

    def add(self, other: Figures) -> None:
        self.tried += other.tried
        self.harms += other.harms
        self.failures += other.failures
        self.killed_at += other.killed_at
        self.notes += other.notes

    def sums(self) -> Figures:
        """What is quoted: how much was tried in all, and what came of it."""
        tried = {
            trial: sum(count for name, count in self.tried.items() if name == trial or name.startswith(f"{trial} of "))
            for trial in TRIALS
        }
        return Figures(Counter(tried), self.harms)

    def failed(self, error: Exception, text: str) -> None:
        """An error that is no broken promise is one all the same: a run must not end with a traceback."""
        self.harms[error.harm if isinstance(error, PromiseBroken) else "other promises broken"] += 1
        self.failures.append(text)

    def lines(self) -> list[str]:
        killed_at = {f"killed {where}": count for where, count in sorted(self.killed_at.items())}
        harms: dict[str, int] = {harm: self.harms[harm] for harm in HARMS}
        counts = {**dict(sorted(self.tried.items())), **killed_at, **harms}
        width = max(map(len, counts))
        return [*(f"{name:<{width}}  {count:>9,}" for name, count in counts.items()), *self.notes]
