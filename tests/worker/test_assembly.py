from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from stepbench.messages import Completion
from stepbench.settings import Settings
from tests.doubles import outage, refused
from tests.factories import BUCKET, STEPS_QUEUE, make_done, make_failed, make_ref
from worker.assembly import _discard_output
from worker.pulse import Pulse

SETTINGS = Settings(ORCH_BUCKET=BUCKET, ORCH_STEPS_QUEUE_URL=STEPS_QUEUE)


def discards(completion: Completion, error: Exception | None = None) -> tuple[Mock, list[Any]]:
    """The client that was asked, and what was logged."""
    clients = Mock()
    clients.s3.delete_object.side_effect = error
    with capture_logs() as lines:
        _discard_output(clients, SETTINGS, Pulse(), completion)
    return clients.s3.delete_object, lines


def test_an_output_that_nobody_waits_for_is_deleted() -> None:
    deleted, lines = discards(make_done(output=make_ref("unwanted")))
    bucket, _, key = make_ref("unwanted").uri.removeprefix("s3://").partition("/")
    deleted.assert_called_once_with(Bucket=bucket, Key=key)
    assert lines == []


def test_a_failed_step_has_no_output_to_delete() -> None:
    deleted, _ = discards(make_failed())
    deleted.assert_not_called()


def test_a_deletion_that_is_not_permitted_is_logged_with_its_step_and_the_statement_that_allows_it() -> None:
    _, (line,) = discards(make_done(chain=4, step=3, attempt=2), refused("AccessDenied", "DeleteObject", 403))
    assert (line["run"], line["chain"], line["step"], line["attempt"]) == ("r1", 4, 3, 2)
    assert line["error"].startswith("s3:DeleteObject was refused; the policy statement that allows it: {")


@pytest.mark.parametrize("error", [outage(), refused("SlowDown", "DeleteObject", 503)], ids=["outage", "throttled"])
def test_a_deletion_that_fails_otherwise_is_logged_with_its_own_words(error: Exception) -> None:
    _, (line,) = discards(make_done(), error)
    assert line["error"] == str(error)
