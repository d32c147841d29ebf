"""One run of a case, at a place that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.experiment import running
from orchestrator.experiment.lines import RunEnd
from orchestrator.experiment.running import Hands
from orchestrator.experiment.schedule import Turn
from orchestrator.run import closing, single
from orchestrator.s3_copy.lease import TakenOver
from stepbench.errors import EnvironmentRefused
from stepbench.settings import Settings
from tests.factories import STEPS_QUEUE
from tests.orchestrator.report.sample_factory import make_plan

AWS = Settings(ORCH_BUCKET="b", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, AWS_REGION="eu-west-1", CLEANUP="true")
DISK_FULL = EnvironmentRefused("cannot write: no space left on device")


class Stage:
    """Run, journal, place and payload in one."""

    def __init__(self, settings: Settings) -> None:
        self.plan = make_plan("20250102-030405-abcdef")
        self.settings = settings
        self.site: Any = self
        self.journal: Any = self
        self.clients: Any = self
        self.s3: Any = self
        self.sqs_calls: Any = self
        self.requests = 0
        self.own_stack = False
        self.no_worker_warning_seconds = 0.0
        self.executing: BaseException | None = None
        self.writing: Exception | None = None
        self.emptied = 0
        self.making: Any = None

    def wait_until_made(self) -> None:
        return None

    def take(self) -> Stage:
        return self

    def write(self, _lines: object) -> None:
        if self.writing is not None:
            raise self.writing

    def execute(self, *_: object) -> None:
        if self.executing is not None:
            raise self.executing

    def prove(self, _settings: Settings) -> None:
        return None

    def close(self, _channel: object, *, keeps_failed: bool = True) -> Any:
        assert not keeps_failed, "nobody goes on with a run of an experiment"
        counts = type("Counts", (), {"chains_failed": 0})
        return type("Ending", (), {"summary": type("Summary", (), {"counts": counts})})


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(AWS)

    @contextmanager
    def standing(*_: object, **__: object) -> Iterator[Stage]:
        yield made

    def empty(*_: object) -> None:
        made.emptied += 1

    monkeypatch.setattr(made, "making", standing)
    monkeypatch.setattr(single, "begun", standing)
    monkeypatch.setattr(closing, "clean_up", empty)
    return made


def run(stage: Stage) -> RunEnd:
    places: Any = type(
        "Places", (), {"site": lambda _, __: stage, "prove": lambda _, settings: stage.prove(settings)}
    )()
    payloads: Any = stage
    return running.run(Turn(1, "json"), AWS, Hands(Path("out"), places, payloads, print, lambda _: None))


def test_an_interrupt_is_not_taken_for_a_failed_run_where_it_cannot_be_written_down(stage: Stage) -> None:
    stage.executing, stage.writing = KeyboardInterrupt(), DISK_FULL

    with pytest.raises(KeyboardInterrupt):
        run(stage)


@pytest.mark.parametrize(
    ("error", "emptied"),
    [(None, 0), (DISK_FULL, 1), (TakenOver("it is another's"), 0)],
    ids=["ended", "failed", "taken"],
)
def test_payloads_of_a_run_that_failed_are_removed_from_a_configured_bucket(
    stage: Stage, error: Exception | None, emptied: int
) -> None:
    stage.executing = error

    assert run(stage).ok is (error is None)

    assert stage.emptied == emptied
