from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orchestrator.run import journal
from orchestrator.upkeep.cleaning import Cleaning
from orchestrator.upkeep.verdict import Terms
from stepbench.settings import Settings
from tests.factories import STEPS_QUEUE
from tests.orchestrator.report.sample_factory import make_plan

RUN = "20200102-030405-0a1b2c"


class Aws:
    """S3 and SQS clients over one object."""

    def __init__(self) -> None:
        self.deleted = 0
        self.written = datetime(2020, 1, 2, tzinfo=UTC)
        self.s3 = self.sqs = SimpleNamespace(get_paginator=self._paginator, delete_objects=self._delete)

    def _paginator(self, name: str) -> Any:
        found = {"Key": f"runs/{RUN}/payloads/x", "Size": 7, "LastModified": self.written}
        return SimpleNamespace(paginate=lambda **_: [{"Contents": [found]}])

    def _delete(self, **_: Any) -> Any:
        self.deleted += 1
        return {}


def cleaning(aws: Any) -> Cleaning:
    settings = Settings(
        ORCH_BUCKET="bucket",
        ORCH_STEPS_QUEUE_URL=STEPS_QUEUE,
        ORCH_PREFIX="runs/{run_id}",
        ORCH_RESULTS_QUEUE_URL=STEPS_QUEUE + "-results",
        METRICS_DIR=".",
    )
    terms = Terms(older_than_seconds=60, run_is_named=False, step_expiry_seconds=60)
    return Cleaning(settings, aws, None, terms, with_metrics=False)


def test_a_run_that_is_over_goes() -> None:
    aws = Aws()
    work = cleaning(aws)

    ((remains, removed),) = work.remove(work.findings())

    assert remains.run_id == RUN
    assert not isinstance(removed, str)
    assert (removed.objects, aws.deleted) == (1, 1)


def test_a_run_that_was_begun_again_after_it_was_found_to_be_over_stays() -> None:
    aws = Aws()
    work = cleaning(aws)
    findings = work.findings()
    log = journal.begin(journal.path_of(Path(), RUN), make_plan(run_id=RUN), Settings())

    ((_, reason),) = work.remove(findings)

    assert reason == "its orchestrator is at work on this machine"
    assert aws.deleted == 0
    log.close()


def test_a_run_that_was_gone_on_with_elsewhere_after_it_was_found_to_be_over_stays() -> None:
    aws = Aws()
    work = cleaning(aws)
    findings = work.findings()
    aws.written = datetime.now(UTC)

    ((_, reason),) = work.remove(findings)

    assert isinstance(reason, str)
    assert reason.startswith("its last sign is ")
    assert aws.deleted == 0
