"""When an experiment ends before its last round: all is stable, or its time is up. Looked at between rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.experiment import judging, schedule
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import WARM_UP_ROUND, ExperimentEvent, ExperimentLine, ManifestLine, RunEnd
from orchestrator.experiment.request import FEWEST_STABLE_ROUNDS
from orchestrator.experiment.schedule import Turn
from orchestrator.report.units import percent


def reason(
    plan: ExperimentLine,
    lines: Sequence[ManifestLine],
    measured: Mapping[str, Mapping[int, RunFigures]],
    left: Sequence[Turn],
    at: str,
) -> ExperimentEvent | None:
    """The event, of the time `at`, that says why the experiment ends here; null where it goes on with `left`."""
    ends = [line for line in lines if isinstance(line, RunEnd)]
    if not ends or not _between_rounds(lines, left):
        return None
    return _time_is_up(plan, ends, at) or _all_stable(plan, ends, measured, at)


def _between_rounds(lines: Sequence[ManifestLine], left: Sequence[Turn]) -> bool:
    """Also before the warm-up round with which an experiment is gone on with."""
    if left[0].round == WARM_UP_ROUND and isinstance(lines[-1], RunEnd):
        return False
    following = next((turn.round for turn in left if turn.round != WARM_UP_ROUND), None)
    return all(line.round != following for line in lines if isinstance(line, RunEnd))


def _time_is_up(plan: ExperimentLine, ends: Sequence[RunEnd], at: str) -> ExperimentEvent | None:
    """Also where the next round would not end in time, if it took as long as the last one."""
    if plan.max_minutes is None:
        return None
    gone = sum(end.seconds for end in ends)
    last = max(end.round for end in ends)
    another = sum(end.seconds for end in ends if end.round == last)
    if gone + another <= plan.max_minutes * 60:
        return None
    return ExperimentEvent(
        event="limit",
        at=at,
        message=f"another round would take the runs beyond --max-minutes {plan.max_minutes:g}",
    )


def _all_stable(
    plan: ExperimentLine, ends: Sequence[RunEnd], measured: Mapping[str, Mapping[int, RunFigures]], at: str
) -> ExperimentEvent | None:
    if plan.until_stable is None:
        return None
    going_on = {case.name for case in plan.cases} - schedule.left_out(ends)
    widths = [judging.relative_width(measured.get(case, {})) for case in going_on]
    if any(width is None or width > plan.until_stable for width in widths):
        return None
    if any(len(measured.get(case, {})) < FEWEST_STABLE_ROUNDS for case in going_on):
        return None
    return ExperimentEvent(
        event="stable",
        at=at,
        message=f"every case's median is known within {percent(plan.until_stable)} (--until-stable)",
    )
