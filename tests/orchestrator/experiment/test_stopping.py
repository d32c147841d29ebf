from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.experiment import reading, schedule, stopping
from orchestrator.experiment.contrasts import Unseen
from orchestrator.experiment.lines import WARM_UP_ROUND, ExperimentEvent, ExperimentLine, ManifestLine
from tests.orchestrator.experiment.plans import make_end, make_event, make_experiment, write_experiment
from tests.orchestrator.report.sample_factory import AT

FOLDER = Path("experiment-x")


def after(rounds: int, **limits: float) -> ExperimentEvent | Unseen | None:
    plan = write_experiment(FOLDER, {"a": 1000, "b": 1010}, repeats=rounds)
    experiment = reading.read(FOLDER)
    going_on = plan.model_copy(update={"repeats": 20, **limits})
    lines = [line for line in experiment.manifest.lines if not isinstance(line, ExperimentEvent)]
    return stopping.looked(going_on, lines, experiment.measured, schedule.turns(going_on, lines), AT)


def reason_after(rounds: int, **limits: float) -> str | None:
    found = after(rounds, **limits)
    return found.event if isinstance(found, ExperimentEvent) else None


def test_it_ends_when_every_median_is_known_well_enough_and_not_before() -> None:
    assert reason_after(10, until_stable=0.1) == "stable"
    assert reason_after(10, until_stable=0.001) is None
    assert reason_after(10) is None


def test_a_few_rounds_are_never_enough() -> None:
    assert reason_after(4, until_stable=1.0) is None
    assert reason_after(5, until_stable=1.0) == "stable"


def test_it_ends_when_a_difference_of_the_size_that_is_asked_for_would_be_seen() -> None:
    assert reason_after(10, to_see=0.05) == "seen"
    assert reason_after(10, to_see=0.001) is None
    assert reason_after(9, to_see=0.05) is None
    assert reason_after(11, to_see=0.05) is None, "it is asked after 10 rounds, and then after 12"
    assert reason_after(12, to_see=0.05) == "seen"


@pytest.mark.parametrize(
    ("stays", "why"), [("b", "the baseline a was left out"), ("a", "all cases but the baseline were left out")]
)
def test_where_no_two_cases_are_left_nothing_is_to_be_seen_and_it_ends(stays: str, why: str) -> None:
    plan = make_experiment("a", "b", to_see=0.05, repeats=50)
    lines: list[ManifestLine] = [
        make_end(case, number, ok=case == stays)
        for number in range(11)
        for case in ("a", "b")
        if case == stays or number < 2
    ]

    found = stopping.looked(plan, lines, {}, schedule.turns(plan, lines), AT)

    assert isinstance(found, ExperimentEvent)
    assert (found.event, found.message) == ("alone", why)


def test_what_is_missing_is_told_where_it_was_looked_for() -> None:
    assert after(11, to_see=0.001) is None
    missing = after(12, to_see=0.001)
    assert isinstance(missing, Unseen)
    assert missing.words.endswith(" would be seen in the step of b")


def test_it_ends_before_a_round_that_would_go_beyond_the_limit() -> None:
    # Each run takes 2 s: a warm-up round and three more are 16 s, another would make it 20.
    assert reason_after(3, max_minutes=21 / 60) is None
    assert reason_after(3, max_minutes=19 / 60) == "limit"


def test_what_is_gone_on_with_when_its_time_is_up_warms_nothing_up_first() -> None:
    plan: ExperimentLine = make_experiment("a", "b", max_minutes=9 / 60)
    lines: list[ManifestLine] = [make_end(case, number) for number in (0, 1) for case in ("a", "b")]
    gone_on = [*lines, make_event("interrupted"), make_event("resumed")]

    left = schedule.turns(plan, gone_on)
    found = stopping.looked(plan, gone_on, {}, left, AT)

    assert left[0].round == WARM_UP_ROUND
    assert isinstance(found, ExperimentEvent)
    assert found.event == "limit"
    in_the_round = [*gone_on[:3], *gone_on[4:]]
    assert stopping.looked(plan, in_the_round, {}, schedule.turns(plan, in_the_round), AT) is None


def test_it_never_ends_in_the_middle_of_a_round() -> None:
    plan: ExperimentLine = make_experiment("a", "b", max_minutes=0.01)
    lines: list[ManifestLine] = [make_end("a", 0), make_end("b", 0)]
    assert stopping.looked(plan, lines, {}, schedule.turns(plan, lines), AT) is not None

    lines.append(make_end(schedule.turns(plan, lines)[0].case, 1))

    assert stopping.looked(plan, lines, {}, schedule.turns(plan, lines), AT) is None
