"""What is boto3's alone, which can tell everything; all else is in the contract."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ClientError

from stepbench.failures import is_retryable
from stepbench.s3_clients import S3Client
from stepbench.samples import S3Requests
from tests.interference import Interference
from tests.stepbench.s3_clients.moving import BUCKET, FORMS, PART_BYTES, PLAIN, content, made

pytestmark = pytest.mark.usefixtures("credentials", "no_pauses", "way")
OF_ONE_REQUEST = {"authorization", "x-amz-date", "amz-sdk-invocation-id"}


@pytest.fixture
def boto3_client(way: Interference) -> S3Client:
    return made("boto3", way)


def told(facts: S3Requests) -> tuple[int | None, dict[str, int] | None, int | None]:
    return facts.requests, facts.statuses, facts.retries


def test_boto3_moves_an_object_up_to_a_part_in_one_request(boto3_client: S3Client, way: Interference) -> None:
    put = boto3_client.put(BUCKET, "one request", content(PART_BYTES), PLAIN)
    _, got = boto3_client.get(BUCKET, "one request", PART_BYTES)
    assert way.methods() == ["PUT", "GET"]
    assert told(put) == told(got) == (1, {"200": 1}, 0)
    assert put.connections_opened == 1
    assert got.connections_opened == 0
    assert way.connections == 1
    assert (put.request_ids, got.request_ids) == (("R1",), ("R2",))


def test_boto3_sends_the_same_request_for_any_form_of_bytes(boto3_client: S3Client, way: Interference) -> None:
    for form in FORMS:
        boto3_client.put(BUCKET, "same request", form(content(1_000)), PLAIN)
    as_bytes, *others = [
        {name: value for name, value in request.headers.items() if name not in OF_ONE_REQUEST} for request in way.seen
    ]
    assert others == [as_bytes, as_bytes]
    assert as_bytes["content-length"] == "1000"
    assert not {"transfer-encoding", "expect"} & as_bytes.keys()


def test_boto3_sends_the_same_body_over_tls_for_any_form_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """There botocore frames the body and puts its checksum behind it."""
    sent = []

    def send(request: Any, **_: Any) -> AWSResponse:
        headers = request.headers
        sent.append((headers["X-Amz-Decoded-Content-Length"], headers.get("Expect"), request.body.read()))
        return AWSResponse(
            request.url, 200, HTTPHeaders.from_dict({"ETag": "e"}), SimpleNamespace(stream=lambda: iter([b""]))
        )

    client = made("boto3", Interference(endpoint="https://s3.example"))
    client._client.meta.events.register("before-send.s3", send)  # type: ignore[attr-defined] # boto3's own inside
    for form in FORMS:
        client.put(BUCKET, "same body", form(content(PART_BYTES)), PLAIN)
    as_bytes, *others = sent
    assert others == [as_bytes, as_bytes]
    assert as_bytes[:2] == (str(PART_BYTES).encode(), None)
    assert len(as_bytes[2]) > PART_BYTES


def test_boto3_sends_the_whole_again_after_a_refusal(boto3_client: S3Client, way: Interference) -> None:
    way.faulty_method = "PUT"
    way.faults.extend(["refuse"] * 2)
    facts = boto3_client.put(BUCKET, "again", memoryview(content(PART_BYTES)), PLAIN)
    assert told(facts) == (3, {"200": 1, "503": 2}, 2)
    assert {request.headers["content-length"] for request in way.seen} == {str(PART_BYTES)}
    assert boto3_client.get(BUCKET, "again", PART_BYTES)[0] == content(PART_BYTES)


def test_boto3_moves_a_larger_object_in_parts(boto3_client: S3Client, way: Interference) -> None:
    size_bytes = 3 * PART_BYTES + 1
    put = boto3_client.put(BUCKET, "parts", content(size_bytes), PLAIN)
    assert sorted(way.methods()) == ["POST", "POST", "PUT", "PUT", "PUT", "PUT"]
    assert told(put) == (6, {"200": 6}, 0)

    way.seen.clear()
    _, got = boto3_client.get(BUCKET, "parts", size_bytes)
    assert sorted(way.methods()) == ["GET", "GET", "GET", "GET", "HEAD"]
    assert told(got) == (5, {"200": 1, "206": 4}, 0)
    assert put.connections_opened is not None
    assert got.connections_opened is not None
    assert put.connections_opened + got.connections_opened == way.connections
    assert got.request_ids is not None
    assert 3 <= len(got.request_ids) <= 5
    assert got.request_ids[0] == "R1"


@pytest.mark.parametrize("size_bytes", [10, 2 * PART_BYTES])
def test_boto3_tells_of_refused_requests_and_its_own_retries(
    boto3_client: S3Client, way: Interference, size_bytes: int
) -> None:
    boto3_client.put(BUCKET, "refused", content(size_bytes), PLAIN)
    undisturbed = boto3_client.get(BUCKET, "refused", size_bytes)[1]
    way.faults.extend(["refuse"] * 2)
    got, facts = boto3_client.get(BUCKET, "refused", size_bytes)
    assert got == content(size_bytes)
    assert undisturbed.requests is not None
    assert facts.requests == undisturbed.requests + 2
    assert facts.statuses == {**(undisturbed.statuses or {}), "503": 2}
    assert facts.retries == 2


def test_boto3_raises_what_the_server_goes_on_answering(boto3_client: S3Client, way: Interference) -> None:
    boto3_client.put(BUCKET, "refused", b"x", PLAIN)
    way.faults.extend(["refuse"] * 4)
    with pytest.raises(ClientError) as raised:
        boto3_client.get(BUCKET, "refused", 1)
    assert is_retryable(raised.value)
    assert way.methods().count("GET") == 4


def test_boto3_reads_a_part_again_when_its_connection_breaks(boto3_client: S3Client, way: Interference) -> None:
    size_bytes = 2 * PART_BYTES + 17
    boto3_client.put(BUCKET, "broken off", content(size_bytes), PLAIN)
    way.faults.append("break off")
    got, facts = boto3_client.get(BUCKET, "broken off", size_bytes)
    assert got == content(size_bytes)
    assert facts.statuses == {"200": 1, "206": 4}


def test_boto3_raises_an_error_of_its_own_when_a_whole_object_breaks_off(
    boto3_client: S3Client, way: Interference
) -> None:
    boto3_client.put(BUCKET, "broken off", content(1_000), PLAIN)
    way.faults.append("break off")
    with pytest.raises(BotoCoreError):
        boto3_client.get(BUCKET, "broken off", 1_000)


def test_a_counter_that_finds_botocore_changed_inside_leaves_the_connections_out(
    boto3_client: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3_client.put(BUCKET, "x", b"x", PLAIN)
    session = boto3_client._client._endpoint.http_session  # type: ignore[attr-defined] # boto3's own inside
    monkeypatch.setattr(session, "_manager", SimpleNamespace(connection_from_url=session._manager.connection_from_url))
    _, facts = boto3_client.get(BUCKET, "x", 1)
    assert facts.connections_opened is None
    assert facts.requests == 1
