from __future__ import annotations

import pytest

from orchestrator.experiment import contrasts
from orchestrator.experiment.figures import RunFigures
from tests.orchestrator.verdicts.given import noisy

STEP_NS = 100e6


def figures(step: float, **parts: float) -> RunFigures:
    return RunFigures(
        samples=1,
        cold_only=False,
        step_ns=step,
        parts_ns=parts,
        bytes_out=1.0,
        cpu_ns=1.0,
        peak_rss_bytes=None,
        steps_per_second=None,
        retries=0,
        throttled=0,
    )


def measured(upload_ns: float, spread: float, rounds: int = 10) -> dict[str, dict[int, RunFigures]]:
    """Two cases whose steps hardly vary, and whose uploads do."""
    return {
        case: {
            number: figures(STEP_NS + number, upload=upload, download=1e6)
            for number, upload in noisy(upload_ns, rounds, spread, seed).items()
        }
        for seed, case in enumerate(("base", "other"), 1)
    }


def test_each_part_is_held_against_the_same_part_of_the_baseline() -> None:
    found = measured(20e6, 0.01)
    found["other"] = {
        number: figures(run.step_ns, upload=2 * run.parts_ns["upload"]) for number, run in found["other"].items()
    }

    assert list(contrasts.of_part(found, "base", "upload")) == ["other"]
    assert contrasts.of_part(found, "base", "upload")["other"].estimate == pytest.approx(2, rel=0.02)
    assert contrasts.of_step(found, "base")["other"].verdict == "no difference seen"
    assert contrasts.of_part(found, "base", "download")["other"].verdict == "cannot tell"


def test_a_phase_that_is_a_good_part_of_the_step_is_waited_for_and_a_small_one_is_not() -> None:
    (unseen,) = contrasts.unseen(measured(20e6, 0.2), "base", 0.05)

    assert (unseen.quantity, unseen.case) == ("upload", "other")
    assert unseen.detectable > 1.05
    assert not list(contrasts.unseen(measured(20e6, 0.01), "base", 0.05))
    assert not list(contrasts.unseen(measured(2e6, 0.2), "base", 0.05))


def test_a_case_without_a_figure_is_not_waited_for() -> None:
    assert not list(contrasts.unseen({**measured(20e6, 0.01), "failed": {}}, "base", 0.05))
    assert not list(contrasts.unseen({"base": {}, "other": {}}, "base", 0.05))
