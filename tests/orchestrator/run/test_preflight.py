from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from orchestrator.run import preflight
from stepbench.settings import Settings
from tests.doubles import refused
from tests.factories import QUEUES, STEPS_QUEUE

if TYPE_CHECKING:
    from stepbench.aws import Clients


class Asked:
    """Clients that tell what they were asked, and refuse what they are told to."""

    def __init__(self, **refusals: Exception) -> None:
        self.calls: list[tuple[str, str]] = []
        self._refusals = refusals
        self.s3 = SimpleNamespace(head_bucket=lambda **asked: self._answer("head_bucket", asked["Bucket"]))
        self.sqs = SimpleNamespace(
            get_queue_attributes=lambda **asked: self._answer("get_queue_attributes", asked["QueueUrl"])
        )

    def _answer(self, call: str, about: str) -> None:
        self.calls.append((call, about))
        if call in self._refusals:
            raise self._refusals[call]


def check(clients: Any, **settings: Any) -> None:
    preflight.check(Settings(ORCH_BUCKET="bucket", ORCH_STEPS_QUEUE_URL=STEPS_QUEUE, **settings), clients)


def test_bucket_and_queues_are_looked_at_and_nothing_is_changed() -> None:
    clients = Asked()
    check(clients, ORCH_RESULTS_QUEUE_URL=f"{QUEUES}/all")
    assert clients.calls == [
        ("head_bucket", "bucket"),
        ("get_queue_attributes", STEPS_QUEUE),
        ("get_queue_attributes", f"{QUEUES}/all"),
    ]


def test_a_queue_that_the_run_will_make_is_not_asked_for() -> None:
    clients = Asked()
    check(clients)
    assert len(clients.calls) == 2


@pytest.mark.parametrize("code", ["403", "AccessDenied"])
def test_a_bucket_that_may_not_be_listed_is_left_for_the_first_upload_to_find(code: str) -> None:
    clients = Asked(head_bucket=refused(code, "HeadBucket", 403))
    check(clients)
    assert ("get_queue_attributes", STEPS_QUEUE) in clients.calls


@pytest.mark.parametrize("code", ["404", "NoSuchBucket", "301", "InvalidAccessKeyId"])
def test_any_other_answer_about_the_bucket_is_an_error(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        check(Asked(head_bucket=refused(code, "HeadBucket")))


def test_a_missing_queue_is_an_error() -> None:
    with pytest.raises(ClientError, match="NonExistentQueue"):
        check(Asked(get_queue_attributes=refused("AWS.SimpleQueueService.NonExistentQueue")))


def test_without_queues_the_bucket_alone_is_looked_at() -> None:
    clients = Asked()
    preflight.check(Settings(ORCH_BUCKET="bucket", CHANNEL="direct"), cast("Clients", clients))
    assert clients.calls == [("head_bucket", "bucket")]
