"""The one way in which rich is given a stream. Importing this module imports rich."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console

USUAL_CELLS = 80


def console_on(stream: TextIO) -> Console:
    """Takes text as it is: no markup, no emoji, no highlighting. As wide as the terminal, or as `COLUMNS` says."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if console.width < 1:  # COLUMNS=0, by which some mean that it is not known
        console.width = USUAL_CELLS
    return console
