"""How an experiment gets on, on stderr: a line per run when piped, nothing when quiet.

`view_terminal` is for terminals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import Protocol, TextIO

from orchestrator.experiment.contrasts import Unseen
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import EARLY_ENDS, WARM_UP_ROUND, ExperimentEvent, ExperimentLine, RunEnd
from orchestrator.experiment.request import as_typed
from orchestrator.experiment.schedule import Turn
from orchestrator.report.doubts import plural
from orchestrator.report.live import ProgressView, QuietView
from orchestrator.report.units import clock, duration


class View(ProgressView, Protocol):
    """Shows how an experiment stands, from `with` to its end; `update` tells of the run that is under way."""

    def begins(self, turn: Turn, left: int) -> None: ...

    def ended(self, end: RunEnd, found: RunFigures | None) -> None: ...

    def looked(self, missing: Unseen) -> None: ...

    def said(self, event: ExperimentEvent) -> None: ...


def view_on(stream: TextIO, quiet: bool, state: State) -> View:
    """The view that fits `stream` (stderr)."""
    if quiet:
        return Quiet()
    if stream.isatty():
        from orchestrator.experiment.view_terminal import TerminalView
        from orchestrator.report.redrawn import can_redraw

        if can_redraw(stream):
            return TerminalView(stream, state)
    return Lines(stream, state)


@dataclass
class State:
    """What is known so far; pure but for the clock it is given."""

    plan: ExperimentLine
    run_seconds: dict[str, Sequence[float]] = field(default_factory=dict)
    """By case, of its runs."""
    step_ns: dict[str, Sequence[float]] = field(default_factory=dict)
    """By case, of its measured rounds."""
    turn: Turn | None = None
    left: int = 0
    done: int = 0
    estimated_seconds: float | None = None
    """Of one run, until there are runs to tell it from."""
    gone_seconds: float = 0.0
    """All runs together, those before the experiment was gone on with among them."""
    missing: str | None = None
    """What the rounds so far do not show yet."""
    clock: Callable[[], float] = monotonic
    began: float = 0.0

    def begins(self, turn: Turn, left: int) -> None:
        self.turn, self.left, self.began = turn, left, self.clock()

    def looked(self, missing: Unseen) -> None:
        asked = "" if self.plan.to_see is None else f"; {as_typed(self.plan.to_see)} is asked for"
        self.missing = f"after {plural(self.turn.round if self.turn else 0, 'round')}: {missing.words}{asked}"

    def ended(self, end: RunEnd, found: RunFigures | None) -> None:
        self.done += 1
        self.left -= 1
        self.gone_seconds += end.seconds
        _add(self.run_seconds, end.case, end.seconds)
        if found is not None and end.round != WARM_UP_ROUND:
            _add(self.step_ns, end.case, found.step_ns)

    @property
    def seconds_left(self) -> float | None:
        """By what a run took so far, on average over the cases, and no longer than --max-minutes; null if unknown."""
        known = [median(taken) for taken in list(self.run_seconds.values())]
        each = sum(known) / len(known) if known else self.estimated_seconds
        if each is None:
            return None
        limit = self.plan.max_minutes
        most = math.inf if limit is None else max(0.0, limit * 60 - self.gone_seconds)
        return min(each * self.left, most)

    @property
    def medians(self) -> list[tuple[str, float, int]]:
        """Case, median step in ns, rounds; the fastest first."""
        found = [(name, float(median(values)), len(values)) for name, values in list(self.step_ns.items())]
        return sorted(found, key=lambda each: each[1])


def _add(numbers: dict[str, Sequence[float]], case: str, number: float) -> None:
    """At once, as what looks takes them at once: the thread that draws must not meet a case that is half there."""
    numbers[case] = (*numbers.get(case, ()), number)


def where(state: State) -> str:
    """`warm-up round`, `round 3 of 10`."""
    if state.turn is None or state.turn.round == WARM_UP_ROUND:
        return "warm-up round"
    return f"round {state.turn.round} of {at_most(state)}{state.plan.repeats}"


def at_most(state: State) -> str:
    """Before a number of rounds or runs; empty where all of them are run."""
    return "at most " if state.plan.may_end_early else ""


def event_words(event: ExperimentEvent) -> str | None:
    """For what is worth a line while the experiment goes on."""
    if event.event == "left_out":
        return f"{event.case} failed again and is left out from here on"
    if event.event in EARLY_ENDS:
        return f"Ended here: {event.message}"
    return None


class Quiet(QuietView):
    """Shows nothing."""

    def begins(self, turn: Turn, left: int) -> None:
        return None

    def ended(self, end: RunEnd, found: RunFigures | None) -> None:
        return None

    def looked(self, missing: Unseen) -> None:
        return None

    def said(self, event: ExperimentEvent) -> None:
        return None


class Lines(Quiet):
    """A line for each run, when it has ended."""

    def __init__(self, stream: TextIO, state: State) -> None:
        self._stream = stream
        self._state = state

    def begins(self, turn: Turn, left: int) -> None:
        self._state.begins(turn, left)

    def ended(self, end: RunEnd, found: RunFigures | None) -> None:
        self._state.ended(end, found)
        print(ended_words(self._state, end, found), file=self._stream, flush=True)

    def looked(self, missing: Unseen) -> None:
        self._state.looked(missing)
        print(self._state.missing, file=self._stream, flush=True)

    def said(self, event: ExperimentEvent) -> None:
        if words := event_words(event):
            print(words, file=self._stream, flush=True)


def ended_words(state: State, end: RunEnd, found: RunFigures | None) -> str:
    """`round 3 of 10: json zstd:3: 84.1 ms a step (median of 4 steps); 55 runs left, 2 min 10 s`."""
    left = state.seconds_left
    rest = f"; {at_most(state)}{plural(state.left, 'run')} left" if state.left else ""
    rest += f", {clock(left)}" if rest and left else ""
    return f"{where(state)}: {end.case}: {outcome_words(end, found)}{rest}"


def outcome_words(end: RunEnd, found: RunFigures | None) -> str:
    if not end.ok:
        return f"failed: {end.error}"
    if found is None:
        return "no step counts"
    return f"{duration(round(found.step_ns))} a step (median of {plural(found.samples, 'step')})"
