"""How every client comes to S3: its first connection, a proxy, credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import NoCredentialsError

from orchestrator.local.environment import CREDENTIALS
from orchestrator.local.stack import REGION
from stepbench import s3_clients
from stepbench.aws import AwsConfig
from stepbench.s3_clients import TransferOptions
from tests.interference import Interference, interfering
from tests.stepbench.s3_clients.moving import BUCKET, NAMES, PART_BYTES, PLAIN, MakeClient, made

pytestmark = pytest.mark.usefixtures("credentials", "no_pauses", "way")


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
