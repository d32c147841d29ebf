from __future__ import annotations

from email.utils import formatdate
from time import time
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.doctor import place
from orchestrator.doctor.ground import Ground
from stepbench.aws import Clients
from stepbench.settings import of_values

SETTINGS = {"ORCH_BUCKET": "b", "ORCH_STEPS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"}


def heard(*behind_seconds: float) -> Ground:
    """Servers whose clocks are so far behind ours."""
    ground = Ground(of_values(SETTINGS))
    for seconds in behind_seconds:
        ground.replies.hear(response_dict={"headers": {"Date": formatdate(time() - seconds, usegmt=True)}})
    return ground


@pytest.mark.parametrize(
    ("behind", "state", "told"),
    [
        ((0.0,), "ok", ""),
        ((20.0,), "note", "20 s ahead of"),
        ((-20.0,), "note", "behind"),
        ((0.0, 400.0, 400.0), "wrong", "400 s ahead of"),
        ((-400.0,), "wrong", "behind"),
        ((), "note", "no reply"),
    ],
)
def test_a_clock_is_held_against_the_dates_of_replies(behind: tuple[float, ...], state: str, told: str) -> None:
    check = place.clock(heard(*behind))
    assert check.state == state
    assert told in check.found
    assert ("chrony" in (check.mend or "")) is (state != "ok" and behind != ())


@pytest.mark.parametrize("response", [None, {}, {"headers": {}}, {"headers": {"Date": "soon"}}])
def test_a_reply_that_tells_no_time_is_passed_over(response: dict[str, object] | None) -> None:
    ground = Ground(of_values(SETTINGS))
    ground.replies.hear(response_dict=response)
    assert ground.replies.skew_seconds() is None


class S3:
    """Answers a look at a bucket, or refuses it; both tell the bucket's region."""

    def __init__(self, region: str, *, ours: str, refuses: bool) -> None:
        self.meta = SimpleNamespace(region_name=ours)
        self._answer: Any = {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": region}}}
        self._refuses = refuses

    def head_bucket(self, **_: str) -> Any:
        if self._refuses:
            raise ClientError(self._answer | {"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")
        return self._answer


@pytest.mark.parametrize("refuses", [False, True], ids=["answers", "refuses"])
@pytest.mark.parametrize(
    ("ours", "bucket", "endpoint", "state", "told"),
    [
        ("eu-west-1", "eu-west-1", "", "ok", "eu-west-1, as the steps queue and the bucket"),
        ("eu-west-1", "us-east-1", "", "wrong", "eu-west-1, but the bucket is in us-east-1"),
        ("us-east-1", "us-east-1", "", "wrong", "us-east-1, but the steps queue is in eu-west-1"),
        ("eu-west-1", "us-east-1", "http://127.0.0.1:1", "ok", "neither queue nor bucket says"),
    ],
)
def test_queue_and_bucket_are_to_be_in_the_configured_region(
    monkeypatch: pytest.MonkeyPatch, ours: str, bucket: str, endpoint: str, state: str, told: str, refuses: bool
) -> None:
    monkeypatch.setattr(Clients, "s3", S3(bucket, ours=ours, refuses=refuses))
    check = place.region(Ground(of_values(SETTINGS | {"AWS_REGION": ours, "AWS_ENDPOINT_URL": endpoint})))
    assert (check.state, told in check.found) == (state, True)


def test_without_queues_the_bucket_alone_has_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clients, "s3", S3("eu-west-1", ours="eu-west-1", refuses=False))
    check = place.region(Ground(of_values({"ORCH_BUCKET": "b", "AWS_REGION": "eu-west-1", "CHANNEL": "direct"})))
    assert (check.state, check.found) == ("ok", "eu-west-1, as the bucket")
