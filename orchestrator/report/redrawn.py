"""Lines that are redrawn in place on a terminal, of a run or of an experiment. Importing this module imports rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from orchestrator.report.consoles import console_on

REFRESHES_PER_SECOND = 2
"""Each costs about a millisecond of CPU in the process that is measuring."""
MAX_BAR_CELLS = 40
MIN_BAR_CELLS = 4


def can_redraw(stream: TextIO) -> bool:
    """Whether the terminal moves its cursor; editors' and CI's terminals may not (`TERM=dumb`)."""
    console = console_on(stream)
    return console.is_terminal and not console.is_dumb_terminal


def redrawn(view: RenderableType, console: Console) -> Live:
    """Asks `view` for its lines from a thread of its own; they are gone when it stops."""
    return Live(view, console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True, redirect_stdout=False)


def bar(told: str, done: int, whole: int, width: int, ascii_only: bool) -> Text:
    """How much of the whole is done, with `told` behind it; that alone where there is no room for a bar."""
    cells = min(MAX_BAR_CELLS, width - len(told) - 2)
    if cells < MIN_BAR_CELLS:
        return Text(told, style="bold")
    full = min(cells, cells * done // max(1, whole))
    line = Text()
    line.append(("#" if ascii_only else "━") * full, style="cyan")
    line.append(("." if ascii_only else "─") * (cells - full), style="dim")
    line.append(f"  {told}", style="bold")
    return line


def cut(lines: Sequence[Text], width: int, ascii_only: bool) -> Sequence[Text]:
    """The same lines, none of them wider than `width`."""
    for line in lines:
        line.no_wrap = True
        line.truncate(width, overflow="crop" if ascii_only else "ellipsis")
    return lines
