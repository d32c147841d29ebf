"""The end of a run that another orchestrator may have taken over by then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.run import closing
from orchestrator.run.journal import Journal
from orchestrator.run.site import Site
from orchestrator.s3_copy.lease import TakenOver
from stepbench.settings import Settings
from stepbench.sqs_calls import SqsCalls
from tests.factories import STEPS_QUEUE
from tests.orchestrator.report.sample_factory import make_run

TAKEN = TakenOver("another orchestrator has taken over")


class Place:
    """Channel, copy and AWS in one: what is asked of them, in order, and when the run turns out to be another's."""

    def __init__(self, taken_when: str) -> None:
        self.happened: list[str] = []
        self.on = True
        self.epoch = 1
        self._taken_when = taken_when
        self._taken = False

    def _do(self, what: str) -> None:
        self.happened.append(what)
        self._taken = self._taken or what == self._taken_when

    def close(self) -> None:
        self._do("close")

    def check(self) -> None:
        if self._taken:
            raise TAKEN

    prove = check

    def end(self) -> None:
        self._do("end")
        self.check()

    def get_paginator(self, _: str) -> Place:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        self._do("clean up")
        return []

    def delete_queue(self, **_: Any) -> None:
        self._do("delete queue")


@pytest.mark.parametrize(
    ("taken_when", "happened", "summaries"),
    [("clean up", ["close", "clean up"], 0), ("end", ["close", "clean up", "end"], 1)],
)
def test_who_learns_at_the_end_that_the_run_is_anothers_leaves_it_the_results_queue(
    tmp_path: Path, taken_when: str, happened: list[str], summaries: int
) -> None:
    made = make_run(finished=False)
    path = made.write(tmp_path)
    journal = Journal(path, again=True)
    place: Any = Place(taken_when)
    clients: Any = type("Clients", (), {"s3": place, "sqs": place, "sqs_calls": SqsCalls()})
    settings = Settings(ORCH_BUCKET="b", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, AWS_REGION="eu-west-1", CLEANUP="true")
    try:
        with pytest.raises(TakenOver):
            closing.close(made.plan, Site(settings, clients, "aws", own_stack=False), journal, place, place)
    finally:
        journal.close()
    assert place.happened == happened
    assert path.read_text().count('"kind":"summary"') == summaries


@pytest.mark.parametrize("keeps_failed", [True, False])
def test_payloads_of_chains_that_failed_stay_for_whoever_goes_on_with_them_alone(
    tmp_path: Path, keeps_failed: bool
) -> None:
    made = make_run(finished=False)
    path = made.write(tmp_path)
    path.write_text(path.read_text().replace('"ok":true', '"ok":false'))
    journal = Journal(path, again=True)
    place: Any = Place("never")
    clients: Any = type("Clients", (), {"s3": place, "sqs": place, "sqs_calls": SqsCalls()})
    settings = Settings(ORCH_BUCKET="b", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, AWS_REGION="eu-west-1", CLEANUP="true")
    site = Site(settings, clients, "aws", own_stack=False)

    closing.close(made.plan, site, journal, place, place, keeps_failed=keeps_failed)

    assert ("clean up" in place.happened) is not keeps_failed
