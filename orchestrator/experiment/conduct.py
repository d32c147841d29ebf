"""An experiment from its next run to its end: performs what `schedule` says, and writes down what came of it.

A line is in the manifest before anything follows from it. Whatever ends this, what was measured is kept, and going on
with it begins with the run that was broken off.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from orchestrator.experiment import figures, schedule, stopping
from orchestrator.experiment.cases import ReadyCase
from orchestrator.experiment.contrasts import Unseen
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import WARM_UP_ROUND, ExperimentEvent, ExperimentLine, ManifestLine, RunEnd
from orchestrator.experiment.manifest_file import ManifestFile
from orchestrator.experiment.running import Hands, run
from orchestrator.experiment.schedule import Turn
from orchestrator.report import metrics_file
from orchestrator.run.journal import now_text, path_of
from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.settings import Settings

Measured = dict[str, dict[int, RunFigures]]
"""By case and round."""


class Watcher(Protocol):
    """Is told how the experiment gets on."""

    def begins(self, turn: Turn, left: int) -> None:
        """`left` runs are to be made, this one among them."""
        ...

    def ended(self, end: RunEnd, found: RunFigures | None) -> None: ...

    def looked(self, missing: Unseen) -> None:
        """The rounds so far are not enough to see what is asked for."""
        ...

    def said(self, event: ExperimentEvent) -> None: ...


class Conduct:
    """Of one incarnation."""

    def __init__(
        self,
        plan: ExperimentLine,
        lines: list[ManifestLine],
        measured: Measured,
        cases: tuple[ReadyCase, ...],
        file: ManifestFile,
        watcher: Watcher,
    ) -> None:
        """`lines` and `measured` are what earlier incarnations left."""
        self._plan = plan
        self._lines = lines
        self._measured = measured
        self._settings: dict[str, Settings] = {case.name: case.settings for case in cases}
        self._file = file
        self._watcher = watcher

    def to_the_end(self, hands: Hands) -> None:
        """Raises EnvironmentRefused for what no run can do without, and KeyboardInterrupt, told in the manifest."""
        try:
            while (turn := self._next()) is not None:
                self._run(turn, hands)
        except KeyboardInterrupt:
            with suppress(EnvironmentRefused):  # a full disk must not hide the interrupt
                self._tell(ExperimentEvent(event="interrupted", at=now_text()))
            raise
        self._tell(ExperimentEvent(event="finished", at=now_text()))

    def _next(self) -> Turn | None:
        left = schedule.turns(self._plan, self._lines)
        if not left:
            return None
        found = stopping.looked(self._plan, self._lines, self._measured, left, now_text())
        if isinstance(found, ExperimentEvent):
            self._tell(found)
            return None
        if found is not None:
            self._watcher.looked(found)
        self._watcher.begins(left[0], len(left))
        return left[0]

    def _run(self, turn: Turn, hands: Hands) -> None:
        out = self._left_out()
        end = run(turn, self._settings[turn.case], hands)
        self._write(end)
        self._watcher.ended(end, self._figures(end, hands))
        for case in self._left_out() - out:
            self._tell(ExperimentEvent(event="left_out", at=now_text(), case=case, message=end.error))

    def _figures(self, end: RunEnd, hands: Hands) -> RunFigures | None:
        if not end.ok:
            return None
        try:
            found = figures.of(metrics_file.read(path_of(hands.folder, end.run_id)))
        except UsageError as error:
            hands.say(str(error))  # somebody has touched it; the result will say so again
            return None
        if found is not None and end.round != WARM_UP_ROUND:
            self._measured.setdefault(end.case, {})[end.round] = found
        return found

    def _left_out(self) -> set[str]:
        return schedule.left_out(line for line in self._lines if isinstance(line, RunEnd))

    def _tell(self, event: ExperimentEvent) -> None:
        self._write(event)
        self._watcher.said(event)

    def _write(self, line: RunEnd | ExperimentEvent) -> None:
        self._file.append([line])
        self._lines.append(line)
