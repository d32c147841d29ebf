from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stepbench.aws import AwsConfig, Clients, addressing_style
from stepbench.configuration import load
from stepbench.errors import EnvironmentRefused

REGION = "eu-west-1"
KEYS = ("key of one server", "its secret")


def write_profile(name: str, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """A configuration of the SDK's with one profile, in a file of the test's own."""
    lines = [f"[profile {name}]", *(f"{key} = {value}" for key, value in more.items())]
    Path("sdk-config").write_text("\n".join(lines))
    monkeypatch.setenv("AWS_CONFIG_FILE", "sdk-config")


def credentials(clients: Clients) -> Any:
    return clients.s3._request_signer._credentials  # type: ignore[attr-defined] # what requests will be signed with


def test_the_configuration_is_that_of_the_settings() -> None:
    settings = load(
        {
            "AWS_REGION": REGION,
            "AWS_PROFILE": "team",
            "AWS_ENDPOINT_URL": "http://localhost:1",
            "AWS_ENDPOINT_URL_S3": "http://localhost:2",
            "AWS_ENDPOINT_URL_SQS": "http://localhost:3",
            "CONNECT_TIMEOUT": "1.5",
            "READ_TIMEOUT": "30",
            "AWS_RETRY_MODE": "adaptive",
            "AWS_MAX_ATTEMPTS": "2",
            "S3_PART_CONCURRENCY": "20",
        }
    )
    assert AwsConfig.of(settings) == AwsConfig(
        region=REGION,
        profile="team",
        endpoint_url="http://localhost:1",
        s3_endpoint_url="http://localhost:2",
        sqs_endpoint_url="http://localhost:3",
        connect_timeout_seconds=1.5,
        read_timeout_seconds=30.0,
        retry_mode="adaptive",
        max_attempts=2,
        connections=20,
    )


class _SendsElsewhere(BaseHTTPRequestHandler):
    """As a server does that wants https, or a log-in first."""

    def do_HEAD(self) -> None:  # http.server calls it so
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_HEAD  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    "call",
    [lambda s3: s3.head_bucket(Bucket="payloads"), lambda s3: s3.put_object(Bucket="payloads", Key="a", Body=b"b")],
    ids=["head", "put"],
)
def test_a_redirect_of_a_server_that_is_not_awss_is_an_error_with_its_status(call: Callable[[Any], Any]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _SendsElsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        s3 = Clients(AwsConfig(region=REGION, s3_endpoint_url=endpoint), keys=KEYS).s3
        with pytest.raises(ClientError) as refusal:
            call(s3)
        server.shutdown()
    assert refusal.value.response["Error"]["Code"] == "302"


def test_it_travels_over_a_pipe() -> None:
    config = AwsConfig(region=REGION, connect_timeout_seconds=1.5)
    assert AwsConfig.model_validate_json(config.model_dump_json()) == config


def test_timeouts_tries_and_region_reach_the_sdk() -> None:
    config = AwsConfig(region=REGION, connect_timeout_seconds=1.5, read_timeout_seconds=30.0, max_attempts=2)
    for client in (Clients(config).s3, Clients(config).sqs):
        meta: Any = client.meta
        assert meta.region_name == REGION
        assert (meta.config.connect_timeout, meta.config.read_timeout) == (1.5, 30.0)
        assert meta.config.retries == {"mode": "standard", "total_max_attempts": 2}
        assert "stepbench" in f"{meta.config.user_agent} {meta.config.user_agent_extra}"


@pytest.mark.parametrize(
    ("endpoints", "s3", "sqs"),
    [
        ({}, "https://s3.eu-west-1.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com"),
        ({"endpoint_url": "http://localhost:1"}, "http://localhost:1", "http://localhost:1"),
        (
            {"endpoint_url": "http://localhost:1", "s3_endpoint_url": "http://localhost:2"},
            "http://localhost:2",
            "http://localhost:1",
        ),
        ({"sqs_endpoint_url": "http://localhost:3"}, "https://s3.eu-west-1.amazonaws.com", "http://localhost:3"),
    ],
)
def test_a_services_own_endpoint_goes_before_that_of_all(endpoints: dict[str, str], s3: str, sqs: str) -> None:
    clients = Clients(AwsConfig(region=REGION, **endpoints))  # type: ignore[arg-type] # fields by name
    assert (clients.s3.meta.endpoint_url, clients.sqs.meta.endpoint_url) == (s3, sqs)


@pytest.mark.parametrize(
    ("endpoint", "style"),
    [
        (None, "auto"),
        ("https://s3.eu-west-1.amazonaws.com", "auto"),
        ("https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com", "auto"),
        ("https://s3.cn-north-1.amazonaws.com.cn", "auto"),
        ("http://127.0.0.1:9000", "path"),
        ("http://localhost:4566", "path"),
        ("https://minio.example/", "path"),
    ],
)
def test_path_style_is_for_endpoints_that_are_not_awss_own(endpoint: str | None, style: str) -> None:
    assert addressing_style(endpoint) == style
    client: Any = Clients(AwsConfig(region=REGION, endpoint_url=endpoint)).s3
    assert client.meta.config.s3["addressing_style"] == style


def test_a_client_is_made_once() -> None:
    clients = Clients(AwsConfig(region=REGION))
    assert clients.s3 is clients.s3
    assert clients.sqs is clients.sqs


def test_a_profile_gives_region_and_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile("team", monkeypatch, region="ap-south-1", aws_access_key_id="theirs", aws_secret_access_key="x")
    clients = Clients(AwsConfig(profile="team"))
    assert clients.s3.meta.region_name == "ap-south-1"
    assert credentials(clients).access_key == "theirs"


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_an_empty_variable_names_no_profile(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    assert Clients(AwsConfig(region=REGION)).sqs.meta.region_name == REGION


def test_a_profile_that_does_not_exist_is_told_with_the_setting_that_names_it() -> None:
    with pytest.raises(EnvironmentRefused, match=r"nowhere.*--aws-profile \(AWS_PROFILE\)"):
        _ = Clients(AwsConfig(region=REGION, profile="nowhere")).s3


def test_a_region_that_is_missing_is_told_with_the_setting_that_names_it() -> None:
    with pytest.raises(EnvironmentRefused) as refusal:
        _ = Clients(AwsConfig()).sqs
    assert str(refusal.value) == "no AWS region is set; --aws-region (AWS_REGION) names it"


@pytest.mark.parametrize("region", ["eu west 1", "eu_west_1", "-"])
def test_a_region_that_is_no_name_is_told_with_the_setting_that_names_it(region: str) -> None:
    with pytest.raises(EnvironmentRefused, match=r"--aws-region \(AWS_REGION\)"):
        _ = Clients(AwsConfig(region=region)).sqs


def test_a_configuration_of_the_sdks_that_is_no_such_thing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sdk-config").write_text("no section\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", "sdk-config")
    with pytest.raises(EnvironmentRefused, match="sdk-config"):
        _ = Clients(AwsConfig(region=REGION)).s3


def test_keys_of_its_own_keep_all_of_the_users_configuration_out(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile("team", monkeypatch, region="ap-south-1", endpoint_url="http://users:1")
    users = {
        "AWS_PROFILE": "nowhere",
        "AWS_ACCESS_KEY_ID": "the user's",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_S3": "http://users:2",
        "AWS_RETRY_MODE": "nonsense",
        "HTTPS_PROXY": "http://users:3",
    }
    for name, value in users.items():
        monkeypatch.setenv(name, value)

    clients = Clients(AwsConfig(region=REGION, endpoint_url="http://127.0.0.1:9000"), keys=KEYS)

    assert clients.s3.meta.endpoint_url == "http://127.0.0.1:9000"
    assert (credentials(clients).access_key, credentials(clients).secret_key) == KEYS
    assert credentials(clients).token is None
    config: Any = clients.s3.meta.config
    assert config.proxies == {}


def test_the_sdk_does_not_sign_with_another_choices_library() -> None:
    assert importlib.util.find_spec("awscrt"), "without it there is nothing to prove"
    script = "from stepbench.s3_clients import boto3; from botocore.compat import HAS_CRT; print(HAS_CRT)"
    surroundings = {name: value for name, value in os.environ.items() if name != "BOTO_DISABLE_CRT"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=surroundings)
    assert done.stdout == "False\n"
