from __future__ import annotations

import re

import pytest

from orchestrator.experiment import contrasts
from orchestrator.experiment.figures import RunFigures
from tests.orchestrator.experiment.plans import make_figures
from tests.orchestrator.verdicts.given import noisy

STEP_NS = 100e6


def measured(upload_ns: float, spread: float, rounds: int = 10) -> dict[str, dict[int, RunFigures]]:
    """Two cases whose steps hardly vary, and whose uploads do."""
    return {
        case: {
            number: make_figures(STEP_NS + number, upload=upload, download=1e6)
            for number, upload in noisy(upload_ns, rounds, spread, seed).items()
        }
        for seed, case in enumerate(("base", "other"), 1)
    }


def test_each_part_is_held_against_the_same_part_of_the_baseline() -> None:
    found = measured(20e6, 0.01)
    found["other"] = {
        number: make_figures(run.step_ns, upload=2 * run.parts_ns["upload"]) for number, run in found["other"].items()
    }

    assert list(contrasts.of_part(found, "base", "upload")) == ["other"]
    assert contrasts.of_part(found, "base", "upload")["other"].estimate == pytest.approx(2, rel=0.02)
    assert contrasts.of_step(found, "base")["other"].verdict == "no difference seen"
    assert contrasts.of_part(found, "base", "download")["other"].verdict == "cannot tell"


def test_a_phase_that_is_a_good_part_of_the_step_is_waited_for_and_a_small_one_is_not() -> None:
    (unseen,) = contrasts.unseen(measured(20e6, 0.2), "base", 0.05, {"other"})

    assert (unseen.quantity, unseen.case) == ("upload", "other")
    assert unseen.detectable is not None
    assert re.fullmatch(r"[\d.]+% would be seen in the upload of other", unseen.words)
    assert not list(contrasts.unseen(measured(20e6, 0.01), "base", 0.05, {"other"}))
    assert not list(contrasts.unseen(measured(2e6, 0.2), "base", 0.05, {"other"}))
    assert list(contrasts.unseen(measured(12e6, 0.2), "base", 0.05, {"other"}))


def test_a_case_that_is_not_run_any_more_is_not_waited_for_and_one_without_a_figure_is() -> None:
    found = {**measured(20e6, 0.01), "failed": {}}

    assert not list(contrasts.unseen(found, "base", 0.05, {"other"}))
    (unseen,) = contrasts.unseen(found, "base", 0.05, {"other", "failed"})
    assert (unseen.case, unseen.detectable) == ("failed", None)
    assert unseen.words == "failed has too few rounds in common with the baseline"


def test_a_round_in_which_a_phase_took_no_time_is_no_reason_not_to_wait_for_it() -> None:
    found = measured(20e6, 0.2)
    found["other"][3] = make_figures(STEP_NS, upload=0.0)
    assert [each.quantity for each in contrasts.unseen(found, "base", 0.05, {"other"})] == ["upload"]

    without = {**found, "other": {number: make_figures(STEP_NS + number, upload=0.0) for number in found["other"]}}
    assert not list(contrasts.unseen(without, "base", 0.05, {"other"}))


def test_the_more_cases_there_are_the_more_rounds_are_needed() -> None:
    one = measured(20e6, 0.05)
    many = {**one, **{f"other {number}": one["other"] for number in range(15)}}

    alone, among = (contrasts.farthest(of, "base", 0.001, {"other"}) for of in (one, many))

    assert alone is not None
    assert among is not None
    assert (alone.detectable or 0) < (among.detectable or 0)
    assert contrasts.of_step(many, "base")["other"].interval != contrasts.of_step(one, "base")["other"].interval
