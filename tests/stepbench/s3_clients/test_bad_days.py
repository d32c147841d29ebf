"""What every client makes of refusals, of broken connections and of silence: it gets over them, or tells them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepbench.aws_errors import answer_in
from stepbench.failures import is_retryable
from stepbench.refusals import refused_action
from stepbench.s3_clients import S3Client
from tests.interference import Interference
from tests.stepbench.s3_clients.moving import BUCKET, FORMS, NAMES, PART_BYTES, PLAIN, content, made, there_and_back

pytestmark = pytest.mark.usefixtures("credentials", "no_pauses", "way")


def test_a_missing_object_is_the_librarys_own_error_and_not_worth_another_try(client: S3Client) -> None:
    for size_bytes in (10, PART_BYTES + 1):
        with pytest.raises(Exception, match=r"NoSuchKey|404") as raised:
            client.get(BUCKET, "missing", size_bytes)
        assert not is_retryable(raised.value)


@pytest.mark.parametrize(
    ("form", "size_bytes"), [*((form, PART_BYTES) for form in FORMS), (memoryview, 2 * PART_BYTES)]
)
def test_what_is_put_after_a_refusal_is_whole_or_worth_another_try(
    client: S3Client, way: Interference, form: Callable[[bytes], Any], size_bytes: int
) -> None:
    way.faulty_method = "PUT"
    way.faults.append("refuse")
    outcome = there_and_back(client, "after a refusal", form(content(size_bytes)))
    assert outcome == content(size_bytes) or is_retryable(outcome), repr(outcome)
    assert not way.faults


def test_a_broken_connection_is_got_over_or_worth_another_try(client: S3Client, way: Interference) -> None:
    """Either is fine for a step; a wrong size, which would fail it for good, is not."""
    for size_bytes in (1_000, 2 * PART_BYTES + 17):
        way.faults.append("break off")
        outcome = there_and_back(client, "broken off", content(size_bytes))
        assert outcome == content(size_bytes) or is_retryable(outcome), repr(outcome)
        assert not way.faults


@pytest.mark.parametrize("size_bytes", [1_000, 2 * PART_BYTES + 17])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_reset_connection_is_got_over_or_worth_another_try(
    client: S3Client, way: Interference, method: str, size_bytes: int
) -> None:
    client.put(BUCKET, "reset", content(size_bytes), PLAIN)
    way.faulty_method = method
    way.faults.append("reset")
    outcome = there_and_back(client, "reset", content(size_bytes))
    assert outcome == content(size_bytes) or is_retryable(outcome), repr(outcome)
    assert not way.faults


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_server_that_goes_on_refusing_is_worth_another_try(whole_way: Interference, name: str, method: str) -> None:
    client = made(name, whole_way, max_attempts=2)
    client.put(BUCKET, "busy", b"x" * 10, PLAIN)
    whole_way.faulty_method = method
    whole_way.faults.extend(["refuse"] * 2)
    outcome = there_and_back(client, "busy", b"x" * 10)
    assert is_retryable(outcome), repr(outcome)
    tries = 2 - len(whole_way.faults)
    # pyarrow takes an answer that is longer than the range it asked for as a broken one, and does not try again.
    assert tries == (1 if (name, method) == ("pyarrow", "GET") else 2), "bounded by AWS_MAX_ATTEMPTS"
    assert whole_way.methods().count(method) == tries + (method == "PUT")


def test_a_retry_is_told_or_left_open(client: S3Client, way: Interference) -> None:
    way.faulty_method = "PUT"
    way.faults.append("refuse")
    facts = client.put(BUCKET, "retried", b"x" * 10, PLAIN)
    assert len(way.seen) == 2
    assert facts.requests in (2, None)
    assert facts.retries in (1, None)
    assert facts.statuses in ({"200": 1, "503": 1}, None)


@pytest.mark.parametrize("size_bytes", [10, PART_BYTES + 1])
@pytest.mark.parametrize(("methods", "action"), [("HEAD GET", "s3:GetObject"), ("POST PUT", "s3:PutObject")])
def test_a_right_that_is_missing_is_told_by_its_action_and_not_worth_another_try(
    client: S3Client, way: Interference, methods: str, action: str, size_bytes: int
) -> None:
    client.put(BUCKET, "forbidden", content(size_bytes), PLAIN)
    way.faulty_method = methods
    way.faults.extend(["forbid"] * 10)
    outcome = there_and_back(client, "forbidden", content(size_bytes))
    assert refused_action(answer_in(outcome)) == action, repr(outcome)
    assert not is_retryable(outcome)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("crt", "s5cmd")])
def test_a_server_that_says_nothing_is_given_up_after_the_read_timeout(whole_way: Interference, name: str) -> None:
    """crt gives up after 30 s of its own, s5cmd never: STEP_TIMEOUT does."""
    client = made(name, whole_way, max_attempts=1, read_timeout_seconds=1.0)
    client.put(BUCKET, "silent", b"x" * 10, PLAIN)
    whole_way.faults.append("be silent")
    outcome = there_and_back(client, "silent", b"x" * 10)
    assert is_retryable(outcome), repr(outcome)
