"""The live view on a terminal: which run is under way, the time left, and the medians so far. Imports rich."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from orchestrator.experiment.contrasts import Unseen
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import ExperimentEvent, RunEnd
from orchestrator.experiment.schedule import Turn
from orchestrator.experiment.view import State, at_most, ended_words, event_words, where
from orchestrator.report.consoles import console_on
from orchestrator.report.doubts import plural
from orchestrator.report.pace import Progress
from orchestrator.report.redrawn import bar, cut, redrawn
from orchestrator.report.units import clock, scale_of

LINES_ABOVE_MEDIANS = 5
MEDIAN_CELLS = 34
"""Of the columns beside a case's name."""


class TerminalView:
    """Redrawn in place, and gone at the end: the result follows. Failures stay above it, a line each."""

    def __init__(self, stream: TextIO, state: State) -> None:
        self._state = state
        self._console = console_on(stream)
        self._live = redrawn(self, self._console)
        self._step: Progress | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def begins(self, turn: Turn, left: int) -> None:
        self._step = None
        self._state.begins(turn, left)

    def ended(self, end: RunEnd, found: RunFigures | None) -> None:
        self._state.ended(end, found)
        if not end.ok:
            self._say(ended_words(self._state, end, found))

    def looked(self, missing: Unseen) -> None:
        self._state.looked(missing)

    def said(self, event: ExperimentEvent) -> None:
        if words := event_words(event):
            self._say(words)

    def update(self, snapshot: Progress) -> None:
        self._step = snapshot

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Called by rich for each drawing, from its thread."""
        yield from lines(self._state, self._step, options.max_width, console.height, options.ascii_only)


def lines(state: State, step: Progress | None, width: int, height: int, ascii_only: bool) -> Sequence[Text]:
    """What is drawn; no line is wider than `width`, and all of it fits into `height`."""
    runs = state.done + state.left
    told = f"{state.done} of {at_most(state)}{plural(runs, 'run')}"
    drawn = [bar(told, state.done, runs, width, ascii_only), Text(_now(state, step))]
    if left := state.seconds_left:
        about = f"about {clock(max(0.0, left - (state.clock() - state.began)))} left"
        drawn.append(Text(f"{about}{' at most' if at_most(state) else ''}", style="dim"))
    if state.missing:
        drawn.append(Text(state.missing, style="dim"))
    drawn += _medians(state, width, max(0, height - LINES_ABOVE_MEDIANS - 1))
    return cut(drawn, width, ascii_only)


def _now(state: State, step: Progress | None) -> str:
    if state.turn is None:
        return "bringing up what the runs need"
    steps = f", {step.steps_done} of {plural(step.steps, 'step')}" if step is not None else ", making its payload"
    return f"{where(state)}: {state.turn.case}{steps}"


def _medians(state: State, width: int, most: int) -> list[Text]:
    found = state.medians
    if not found or most < 3:
        return []
    scale = scale_of(round(found[-1][1]))
    name_cells = max(8, min(max(len(name) for name, _, _ in found), width - MEDIAN_CELLS))
    shown = found if len(found) <= most - 1 else found[: most - 2]
    rows = [
        Text(f"{_cut(name, name_cells):{name_cells}}  {scale.show(round(value)):>12} {scale.unit:<2}  {rounds:>6}")
        for name, value, rounds in shown
    ]
    if len(shown) < len(found):
        rows.append(Text(f"and {len(found) - len(shown)} slower", style="dim"))
    return [Text(f"{'so far':{name_cells}}  {'median step':>15}  {'rounds':>6}", style="bold"), *rows]


def _cut(name: str, cells: int) -> str:
    return name if len(name) <= cells else f"{name[: cells - 3]}..."
