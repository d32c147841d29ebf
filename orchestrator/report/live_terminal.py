"""The live view on a terminal. Rich draws it from a thread of its own; importing this module imports rich."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from orchestrator.report.consoles import console_on
from orchestrator.report.pace import Marks, Progress
from orchestrator.report.progress_words import counted, moving, news, plain_line, silence
from orchestrator.report.redrawn import bar, cut, redrawn
from orchestrator.report.units import clock

MAX_NEWS_LINES = 3


class TerminalView:
    """A few lines that are redrawn in place, and gone when the run ends: the summary follows.

    Where none follows, because the run was broken off, one line stays.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = console_on(stream)
        self._live = redrawn(self, self._console)
        self._marks = Marks()
        self._latest: tuple[Progress, float] | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if kind is not None and self._latest is not None:
            snapshot, _ = self._latest
            self._console.print(plain_line(snapshot, self._marks.pace(snapshot, snapshot.elapsed_seconds)))

    def update(self, snapshot: Progress) -> None:
        self._latest = (snapshot, time.monotonic())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Called by rich for each drawing, from its thread; one read of `_latest`, so that it sees one snapshot."""
        latest = self._latest
        if latest is None:
            return
        snapshot, stored_at = latest
        now_seconds = snapshot.elapsed_seconds + time.monotonic() - stored_at
        self._marks.add(snapshot)
        yield from lines(snapshot, self._marks, now_seconds, options.max_width, options.ascii_only)


def lines(snapshot: Progress, marks: Marks, now_seconds: float, width: int, ascii_only: bool) -> Sequence[Text]:
    """What is drawn at `now_seconds` since the run began; no line is wider than `width`."""
    facts = [clock(now_seconds), *moving(snapshot, marks.pace(snapshot, now_seconds), now_seconds)]
    drawn = [bar(counted(snapshot), snapshot.steps_done, snapshot.steps, width, ascii_only), Text("  ".join(facts))]
    troubles = news(snapshot)
    if troubles:
        has_failed = snapshot.failures or snapshot.lost or snapshot.chains_failed
        told = textwrap.wrap("; ".join(troubles), width, max_lines=MAX_NEWS_LINES, placeholder=" ...")
        drawn += [Text(part, style="bold red" if has_failed else "bold") for part in told]
    if warning := silence(snapshot, now_seconds):
        drawn += [Text(part, style="bold yellow") for part in textwrap.wrap(warning, width)]
    return cut(drawn, width, ascii_only)
