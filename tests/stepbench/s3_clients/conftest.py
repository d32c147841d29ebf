"""An emulated S3, what stands in its way, and each client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from orchestrator.local.environment import CREDENTIALS
from stepbench.s3_clients import S3Client
from tests.embedded import clients_at, emulated
from tests.interference import Interference, interfering
from tests.stepbench.s3_clients.moving import BUCKET, NAMES, MakeClient, made


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with emulated("s3") as endpoint:
        clients_at(endpoint).s3.create_bucket(Bucket=BUCKET)
        yield endpoint


@pytest.fixture(scope="module")
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's pauses between its tries."""
    unhurried = {name: value for name, value in vars(time).items() if name != "sleep"}
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(**unhurried, sleep=lambda seconds: None))


@pytest.fixture(scope="module")
def whole_way(server: str) -> Iterator[Interference]:
    with interfering(server) as interference:
        yield interference


@pytest.fixture
def way(whole_way: Interference) -> Interference:
    """What stands between the client and the server."""
    whole_way.forget()
    return whole_way


@pytest.fixture(scope="module", params=NAMES)
def make_client(request: pytest.FixtureRequest, whole_way: Interference) -> MakeClient:
    return lambda: made(request.param, whole_way)


@pytest.fixture(scope="module")
def client(make_client: MakeClient) -> S3Client:
    """One for all tests that do not ask whether it is new: making one takes the SDK a while."""
    return make_client()
