"""When an experiment ends before its last round: enough is seen, all is stable, or its time is up.

Looked at between rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.experiment import contrasts, judging, schedule
from orchestrator.experiment.contrasts import Unseen
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import WARM_UP_ROUND, ExperimentEvent, ExperimentLine, ManifestLine, RunEnd
from orchestrator.experiment.request import FEWEST_STABLE_ROUNDS, as_typed
from orchestrator.experiment.schedule import Turn
from orchestrator.verdicts import enough


def looked(
    plan: ExperimentLine,
    lines: Sequence[ManifestLine],
    measured: Mapping[str, Mapping[int, RunFigures]],
    left: Sequence[Turn],
    at: str,
) -> ExperimentEvent | Unseen | None:
    """The event, of the time `at`, that says why the experiment ends here.

    Where it goes on with `left`: what the rounds do not show yet, or null where it was not looked for.
    """
    ends = [line for line in lines if isinstance(line, RunEnd)]
    if not ends or not _between_rounds(lines, left):
        return None
    by_case = {case: measured.get(case, {}) for case in schedule.going_on(plan, ends)}
    return _time_is_up(plan, ends, at) or _all_stable(plan, by_case, at) or _all_seen(plan, ends, measured, at)


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
    plan: ExperimentLine, by_case: Mapping[str, Mapping[int, RunFigures]], at: str
) -> ExperimentEvent | None:
    if plan.until_stable is None:
        return None
    widths = [judging.relative_width(rounds) for rounds in by_case.values()]
    if any(width is None or width > plan.until_stable for width in widths):
        return None
    if any(len(rounds) < FEWEST_STABLE_ROUNDS for rounds in by_case.values()):
        return None
    return ExperimentEvent(
        event="stable",
        at=at,
        message=f"every case's median is known within {as_typed(plan.until_stable)} (--until-stable)",
    )


def _all_seen(
    plan: ExperimentLine, ends: Sequence[RunEnd], measured: Mapping[str, Mapping[int, RunFigures]], at: str
) -> ExperimentEvent | Unseen | None:
    """What is missing, if anything is. It ends also where no two cases are left to be held against each other."""
    if plan.to_see is None or max(end.round for end in ends) not in enough.looks(plan.repeats):
        return None
    going_on = schedule.going_on(plan, ends)
    if plan.baseline not in going_on:
        return ExperimentEvent(event="alone", at=at, message=f"the baseline {plan.baseline} was left out")
    if len(going_on) == 1:
        return ExperimentEvent(event="alone", at=at, message="all cases but the baseline were left out")
    every: dict[str, Mapping[int, RunFigures]] = {case.name: measured.get(case.name, {}) for case in plan.cases}
    missing = contrasts.farthest(every, plan.baseline, plan.to_see, going_on)
    return missing or ExperimentEvent(
        event="seen",
        at=at,
        message=f"that is enough to see a difference of {as_typed(plan.to_see)}, or a quarter of a larger one",
    )
