from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from orchestrator.local.environment import CREDENTIALS
from orchestrator.local.stack import REGION
from stepbench import registry, s3_clients
from stepbench.aws import AwsConfig
from stepbench.aws_errors import answer_in
from stepbench.errors import SizeMismatch, UsageError
from stepbench.failures import is_retryable
from stepbench.refusals import refused_action
from stepbench.s3_clients import Encryption, S3Client, TransferOptions
from stepbench.samples import S3Requests
from stepbench.settings import Settings
from tests.embedded import clients_at, emulated
from tests.interference import Interference, interfering

BUCKET = "payloads"
NAMES = registry.choices("stepbench.s3_clients")
PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes."""
SIZES = {
    "nothing": 0,
    "one byte": 1,
    "below a part": PART_BYTES - 1,
    "a part": PART_BYTES,
    "above a part": PART_BYTES + 1,
    "several parts": 3 * PART_BYTES + 123,
}
PLAIN = Encryption()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with emulated("s3") as endpoint:
        clients_at(endpoint).s3.create_bucket(Bucket=BUCKET)
        yield endpoint


@pytest.fixture(autouse=True, scope="module")
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's pauses between its tries."""
    unhurried = {name: value for name, value in vars(time).items() if name != "sleep"}
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(**unhurried, sleep=lambda seconds: None))


@pytest.fixture(scope="module")
def whole_way(server: str) -> Iterator[Interference]:
    with interfering(server) as interference:
        yield interference


@pytest.fixture(autouse=True)
def way(whole_way: Interference) -> Interference:
    """What stands between the client and the server."""
    whole_way.forget()
    return whole_way


MakeClient = Callable[[], S3Client]


@pytest.fixture(scope="module", params=NAMES)
def make_client(request: pytest.FixtureRequest, whole_way: Interference) -> MakeClient:
    return lambda: made(request.param, whole_way)


@pytest.fixture(scope="module")
def client(make_client: MakeClient) -> S3Client:
    """One for all tests that do not ask whether it is new: making one takes the SDK a while."""
    return make_client()


def made(name: str, way: Interference, max_attempts: int = 4, **config_of: Any) -> S3Client:
    config = AwsConfig(region=REGION, endpoint_url=way.endpoint, max_attempts=max_attempts, **config_of)
    return s3_clients.make(name, config, TransferOptions(part_bytes=PART_BYTES, part_concurrency=3))


def there_and_back(client: S3Client, key: str, data: bytes) -> Any:
    """What was got of what was put, or the error that either ended with: which one is the library's affair."""
    try:
        client.put(BUCKET, key, data, PLAIN)
        got, _ = client.get(BUCKET, key, len(data))
    except Exception as error:  # noqa: BLE001 # see above
        return error
    return got


def content(size_bytes: int) -> bytes:
    """No two parts are alike."""
    return random.Random(size_bytes).randbytes(size_bytes)


# --- the contract, over every implementation ----------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", SIZES.values(), ids=SIZES.keys())
def test_what_was_put_is_got(client: S3Client, size_bytes: int) -> None:
    data = content(size_bytes)
    client.put(BUCKET, "there and back", data, PLAIN)
    got, _ = client.get(BUCKET, "there and back", size_bytes)
    assert got == data


FORMS: list[Callable[[bytes], Any]] = [bytes, bytearray, memoryview]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size_bytes", [0, 10, PART_BYTES + 1])
def test_any_form_of_bytes_is_put(client: S3Client, form: Callable[[bytes], Any], size_bytes: int) -> None:
    client.put(BUCKET, "form", form(content(size_bytes)), PLAIN)
    assert client.get(BUCKET, "form", size_bytes)[0] == content(size_bytes)


def test_a_view_of_wider_items_is_put_by_its_bytes(client: S3Client) -> None:
    size_bytes = 2 * PART_BYTES
    as_bytes = client.put(BUCKET, "wide", content(size_bytes), PLAIN)
    as_view = client.put(BUCKET, "wide", memoryview(content(size_bytes)).cast("Q"), PLAIN)
    assert as_view.requests == as_bytes.requests
    assert client.get(BUCKET, "wide", size_bytes)[0] == content(size_bytes)


@pytest.mark.parametrize(
    ("form", "size_bytes"), [*((form, PART_BYTES) for form in FORMS), (memoryview, 2 * PART_BYTES)]
)
def test_what_is_put_after_a_refusal_is_whole_or_worth_another_try(
    client: S3Client, way: Interference, form: Callable[[bytes], Any], size_bytes: int
) -> None:
    way.faulty_method = "PUT"
    way.faults.append("refuse")
    outcome: Any
    try:
        client.put(BUCKET, "after a refusal", form(content(size_bytes)), PLAIN)
        outcome, _ = client.get(BUCKET, "after a refusal", size_bytes)
    except Exception as error:  # noqa: BLE001 # which one is the library's affair
        outcome = error
    assert outcome == content(size_bytes) or is_retryable(outcome), repr(outcome)
    assert not way.faults


@pytest.mark.parametrize(("form", "parts", "on_their_way"), [*((form, 1, 0.5) for form in FORMS), (memoryview, 16, 15)])
@pytest.mark.parametrize("name", NAMES)
def test_a_put_copies_the_parts_that_are_on_their_way_and_never_the_whole(
    server: str, name: str, form: Callable[[bytes], Any], parts: int, on_their_way: float
) -> None:
    client = made(name, Interference(endpoint=server))  # Nothing in between: it would be in this process.
    data = form(bytes(parts * PART_BYTES))
    client.put(BUCKET, "not copied", form(b"x"), PLAIN)  # What is made once is no copy of the data.
    tracemalloc.start()
    try:
        client.put(BUCKET, "not copied", data, PLAIN)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < on_their_way * PART_BYTES


@pytest.mark.parametrize(
    ("size_bytes", "declared_bytes"),
    [
        (0, 1),
        (1, 0),
        (100, 99),
        (100, 101),
        (100, PART_BYTES + 1),
        (PART_BYTES + 1, PART_BYTES),
        (PART_BYTES + 1, PART_BYTES + 2),
        (2 * PART_BYTES, 2 * PART_BYTES - 1),
        (2 * PART_BYTES, 2 * PART_BYTES + 1),
    ],
)
def test_an_object_of_another_size_than_declared_is_refused(
    client: S3Client, size_bytes: int, declared_bytes: int
) -> None:
    client.put(BUCKET, "other size", content(size_bytes), PLAIN)
    with pytest.raises(SizeMismatch, match=f"{declared_bytes}"):
        client.get(BUCKET, "other size", declared_bytes)


def test_a_declared_size_takes_no_memory_before_the_object_was_looked_at(client: S3Client) -> None:
    client.put(BUCKET, "small", b"x", PLAIN)
    tracemalloc.start()
    try:
        with pytest.raises(SizeMismatch, match="1 bytes where 1000000000000 were declared"):
            client.get(BUCKET, "small", 10**12)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < PART_BYTES


@pytest.fixture(scope="module")
def large(server: str) -> int:
    """The size of the object `large`: several times what the kernel holds of a connection that nobody reads from."""
    size_bytes = 10 * PART_BYTES
    clients_at(server).s3.put_object(Bucket=BUCKET, Key="large", Body=content(size_bytes))
    return size_bytes


@pytest.mark.parametrize("declared_bytes", [10, PART_BYTES, PART_BYTES + 1])
def test_an_object_larger_than_declared_is_not_read_to_its_end(
    client: S3Client, way: Interference, large: int, declared_bytes: int
) -> None:
    with pytest.raises(SizeMismatch):
        client.get(BUCKET, "large", declared_bytes)
    assert way.body_bytes_given < large / 2


@pytest.mark.parametrize("size_bytes", [10, PART_BYTES + 1])
@pytest.mark.parametrize(
    ("encryption", "asked"),
    [
        (Encryption(), {}),
        (Encryption(sse="s3"), {"x-amz-server-side-encryption": "AES256"}),
        (Encryption(sse="kms"), {"x-amz-server-side-encryption": "aws:kms"}),
        (
            Encryption(sse="kms", kms_key_id="alias/payloads"),
            {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "alias/payloads",
            },
        ),
    ],
    ids=["none", "s3", "kms", "kms with a key"],
)
def test_the_encryption_that_is_wanted_is_asked_for(
    client: S3Client, way: Interference, encryption: Encryption, asked: dict[str, str], size_bytes: int
) -> None:
    if asked and not s3_clients.abilities(client.name).encryption:
        with pytest.raises(UsageError, match=r"--sse \(SSE\) is .* cannot ask for encryption"):
            client.put(BUCKET, "encrypted", content(size_bytes), encryption)
        assert not way.seen
        return
    client.put(BUCKET, "encrypted", content(size_bytes), encryption)
    creating = way.seen[0]
    assert {name: value for name, value in creating.headers.items() if "server-side-encryption" in name} == asked


@pytest.mark.parametrize("size_bytes", [10, PART_BYTES + 1])
@pytest.mark.parametrize(("tagged", "asked"), [(True, ["stepbench=payload"]), (False, [])])
def test_an_object_that_is_to_be_tagged_is_so_by_one_header_and_no_request_more(
    client: S3Client, way: Interference, size_bytes: int, tagged: bool, asked: list[str]
) -> None:
    untagged = client.put(BUCKET, "tagged", content(size_bytes), PLAIN)
    way.seen.clear()
    if tagged and not s3_clients.abilities(client.name).tags:
        with pytest.raises(UsageError, match=r"--payload-tag \(PAYLOAD_TAG\) is true, .* cannot tag objects"):
            client.put(BUCKET, "tagged", content(size_bytes), PLAIN, tagged=True)
        assert not way.seen
        return
    facts = client.put(BUCKET, "tagged", content(size_bytes), PLAIN, tagged=tagged)
    sent = [request.headers["x-amz-tagging"] for request in way.seen if "x-amz-tagging" in request.headers]
    stored = clients_at(way.endpoint).s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"]
    assert sent == asked
    assert stored == ([{"Key": "stepbench", "Value": "payload"}] if tagged else [])
    assert facts.requests == untagged.requests


def test_a_missing_object_is_the_librarys_own_error_and_not_worth_another_try(client: S3Client) -> None:
    for size_bytes in (10, PART_BYTES + 1):
        with pytest.raises(Exception, match=r"NoSuchKey|404") as raised:
            client.get(BUCKET, "missing", size_bytes)
        assert not is_retryable(raised.value)


def test_a_broken_connection_is_got_over_or_worth_another_try(client: S3Client, way: Interference) -> None:
    """Either is fine for a step; a wrong size, which would fail it for good, is not."""
    for size_bytes in (1_000, 2 * PART_BYTES + 17):
        client.put(BUCKET, "broken off", content(size_bytes), PLAIN)
        way.faults.append("break off")
        outcome: Any
        try:
            outcome, _ = client.get(BUCKET, "broken off", size_bytes)
        except Exception as error:  # noqa: BLE001 # which one is the library's affair
            outcome = error
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


@pytest.mark.parametrize("name", NAMES)
def test_a_proxy_of_the_environment_is_used(
    whole_way: Interference, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(variable, whole_way.endpoint)
    client = made(name, Interference(endpoint="http://nowhere.invalid"), max_attempts=1)
    whole_way.faulty_method = "HEAD GET"
    whole_way.faults.extend(["forbid"] * 2)
    with pytest.raises(Exception, match=r"AccessDenied|403"):
        client.get(BUCKET, "x", 1)
    assert whole_way.seen[0].path.startswith("http://nowhere.invalid")


@pytest.mark.parametrize("name", NAMES)
def test_without_credentials_the_sdks_own_error_says_so(
    whole_way: Interference, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in CREDENTIALS:
        monkeypatch.delenv(variable)
    client = made(name, whole_way)
    for transfer in (lambda: client.get(BUCKET, "x", 1), lambda: client.put(BUCKET, "x", b"x", PLAIN)):
        with pytest.raises(NoCredentialsError):
            transfer()
    assert not whole_way.seen


@pytest.mark.parametrize("name", NAMES)
def test_requests_are_signed_with_what_the_sdks_chain_has_now(
    whole_way: Interference, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As roles do it, whose credentials have a token, run out, and are renewed by the chain."""
    keys = {"id": "first"}

    def renewed() -> dict[str, str]:
        soon = datetime.now(UTC) + timedelta(minutes=1)  # so that it asks each time
        return {
            "access_key": keys["id"],
            "secret_key": "secret",
            "token": f"session-{keys['id']}",
            "expiry_time": soon.isoformat(),
        }

    chain = RefreshableCredentials.create_from_metadata(renewed(), renewed, "a role")
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda self: chain)
    monkeypatch.setattr("stepbench.s3_clients.obstore._CREDENTIALS_FOR", timedelta(0))  # it keeps them for some minutes
    client = made(name, whole_way)
    for keys["id"] in ("second", "third"):
        whole_way.seen.clear()
        client.put(BUCKET, "signed", b"x", PLAIN)
        assert whole_way.seen[0].headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={keys['id']}/")
        assert whole_way.seen[0].headers["x-amz-security-token"] == f"session-{keys['id']}"


def test_connecting_raises_nothing_and_needs_no_object(make_client: MakeClient, way: Interference) -> None:
    for bucket, key in ((BUCKET, "orchestration-bench/runs/connect"), ("no-such-bucket", "x"), ("NOT A BUCKET", "x")):
        make_client().connect(bucket, key)
    way.faulty_method = "HEAD"
    way.faults.extend(["refuse"] * 10)
    make_client().connect(BUCKET, "x")


@pytest.mark.parametrize("name", NAMES)
def test_connecting_to_nobody_raises_nothing(name: str) -> None:
    with interfering("http://127.0.0.1:1") as gone:
        endpoint = gone.endpoint
    config = AwsConfig(region=REGION, endpoint_url=endpoint, max_attempts=2)
    s3_clients.make(name, config, TransferOptions(part_bytes=PART_BYTES, part_concurrency=1)).connect(BUCKET, "x")


def test_a_transfer_after_connecting_opens_no_connection_or_cannot_tell(make_client: MakeClient) -> None:
    client = make_client()
    client.connect(BUCKET, "x")
    put = client.put(BUCKET, "connected", b"x", PLAIN)
    _, got = client.get(BUCKET, "connected", 1)
    assert {put.connections_opened, got.connections_opened} <= {0, None}


def test_facts_are_of_one_transfer_and_agree_with_what_the_server_saw(client: S3Client, way: Interference) -> None:
    for size_bytes in (10, 2 * PART_BYTES + 1):
        way.seen.clear()
        put = client.put(BUCKET, "facts", content(size_bytes), PLAIN)
        sent_to_put = len(way.seen)
        _, got = client.get(BUCKET, "facts", size_bytes)
        for facts, sent in ((put, sent_to_put), (got, len(way.seen) - sent_to_put)):
            assert facts.requests in (sent, None)
            assert facts.statuses is None or sum(facts.statuses.values()) == sent
            assert facts.retries in (0, None)


def test_a_retry_is_told_or_left_open(client: S3Client, way: Interference) -> None:
    way.faulty_method = "PUT"
    way.faults.append("refuse")
    facts = client.put(BUCKET, "retried", b"x" * 10, PLAIN)
    assert len(way.seen) == 2
    assert facts.requests in (2, None)
    assert facts.retries in (1, None)
    assert facts.statuses in ({"200": 1, "503": 1}, None)


def test_request_ids_are_the_servers_own_or_left_open(client: S3Client, way: Interference) -> None:
    put = client.put(BUCKET, "ids", b"x" * 10, PLAIN)
    _, got = client.get(BUCKET, "ids", 10)
    seen = {f"R{number}" for number in range(1, len(way.seen) + 1)}
    for facts in (put, got):
        assert facts.request_ids is None or set(facts.request_ids) <= seen != set()


def test_the_client_tells_the_name_of_the_library_that_runs(client: S3Client, request: pytest.FixtureRequest) -> None:
    assert client.name == request.node.callspec.params["make_client"]


def test_an_unknown_client_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="did you mean boto3"):
        s3_clients.make("boto", AwsConfig(), TransferOptions(part_bytes=PART_BYTES, part_concurrency=1))


def test_the_size_of_a_part_is_a_setting_in_millions_of_bytes() -> None:
    options = TransferOptions.of(Settings(S3_PART_MB=16.5, S3_PART_CONCURRENCY=3))
    assert options == TransferOptions(part_bytes=16_500_000, part_concurrency=3)


# --- boto3, which can tell everything -----------------------------------------------------------------------------


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


OF_ONE_REQUEST = {"authorization", "x-amz-date", "amz-sdk-invocation-id"}


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
