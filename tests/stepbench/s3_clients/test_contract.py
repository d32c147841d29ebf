"""What every client owes: what was put is got, whole and no more, as it was asked for, and told truly."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from stepbench import s3_clients
from stepbench.aws import AwsConfig
from stepbench.errors import SizeMismatch, UsageError
from stepbench.s3_clients import Encryption, S3Client, TransferOptions
from stepbench.settings import Settings
from tests.embedded import clients_at
from tests.interference import Interference
from tests.stepbench.s3_clients.moving import BUCKET, FORMS, NAMES, PART_BYTES, PLAIN, content, made

pytestmark = pytest.mark.usefixtures("credentials", "no_pauses", "way")
SIZES = {
    "nothing": 0,
    "one byte": 1,
    "below a part": PART_BYTES - 1,
    "a part": PART_BYTES,
    "above a part": PART_BYTES + 1,
    "several parts": 3 * PART_BYTES + 123,
}


@pytest.mark.parametrize("size_bytes", SIZES.values(), ids=SIZES.keys())
def test_what_was_put_is_got(client: S3Client, size_bytes: int) -> None:
    data = content(size_bytes)
    client.put(BUCKET, "there and back", data, PLAIN)
    got, _ = client.get(BUCKET, "there and back", size_bytes)
    assert got == data


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
