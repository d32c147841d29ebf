"""A resume's way to the lease and to all that the copy has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.report import metrics_file
from orchestrator.run import history
from orchestrator.run.journal import Journal
from orchestrator.run.lines import Event
from orchestrator.run.site import Site
from orchestrator.s3_copy.holding import taken_up
from orchestrator.s3_copy.objects import EPOCH
from stepbench.errors import UsageError
from stepbench.settings import Settings
from tests.factories import STEPS_QUEUE
from tests.orchestrator.report.sample_factory import make_run
from tests.orchestrator.s3_copy.store import NAMES, RUN, Store

MADE = make_run(finished=False, run_id=RUN, prefix=NAMES.prefix)
FAR_AHEAD = 9_000_000_000_000_000
"""An epoch of a clock that was wrong."""
GONE_ON = Event(event="resumed", at="now", epoch=FAR_AHEAD).model_dump_json().encode() + b"\n"


def resumed(store: Store, path: Path) -> tuple[int, int]:
    """The epoch with which the run goes on, and how many bytes its file has then."""
    clients: Any = type("Clients", (), {"s3": store})
    settings = Settings(
        ORCH_BUCKET="b", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, AWS_REGION="eu-west-1", METRICS_SYNC_SECONDS="3600"
    )
    site = Site(settings, clients, "aws", own_stack=False)
    journal = Journal(path, again=True)
    file = metrics_file.read(path)
    past = history.read(file.lines)
    try:
        with taken_up(file, past, site, journal, force=False, say=lambda _: None) as (keeping, newest):
            assert store.lease["epoch"] == keeping.epoch
            return keeping.epoch, newest.whole_bytes
    finally:
        journal.close()


@pytest.mark.parametrize("in_parts", [True, False], ids=["parts", "the whole file"])
def test_an_epoch_that_only_the_copy_knows_is_exceeded_by_the_lease_too(in_parts: bool, tmp_path: Path) -> None:
    store, path = Store(), MADE.write(tmp_path)
    data = path.read_bytes() + GONE_ON
    key = NAMES.part(FAR_AHEAD, 0, 0) if in_parts else NAMES.whole
    store.objects[key] = (data, '"0"')
    assert resumed(store, path) == (FAR_AHEAD + 1, len(data))


def test_the_whole_files_own_epoch_counts_where_its_lines_tell_of_none(tmp_path: Path) -> None:
    store, path = Store(), MADE.write(tmp_path)
    store.objects[NAMES.whole] = (path.read_bytes(), '"0"')
    store.metadata[NAMES.whole] = {EPOCH: str(FAR_AHEAD)}
    assert resumed(store, path) == (FAR_AHEAD + 1, len(path.read_bytes()))


def test_a_resume_that_is_refused_leaves_no_lease_where_there_was_none(tmp_path: Path) -> None:
    store, path = Store(), MADE.write(tmp_path)
    of_another = path.read_bytes().replace(b'"chain":1', b'"chain":2') + GONE_ON
    store.objects[NAMES.whole] = (of_another, '"0"')
    with pytest.raises(UsageError):
        resumed(store, path)
    assert NAMES.lease not in store.objects
