"""Proves on this program itself that it measures the truth: `python -m benchmarks.truth [PART ...]` prints a table.

A part is one file here, found by being there; helpers begin with `_`. It has `run(rounds)`, which gives back its rows,
and NOTES, lines that stand below them. `rounds` is null where a part is to do what it does by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Row:
    """One promise, and what came of it."""

    what: str
    figure: str
    limit: str = ""
    holds: bool | None = None
    """Null where nothing is promised."""


class Part(Protocol):
    NOTES: Sequence[str]
    run: Callable[[int | None], list[Row]]
