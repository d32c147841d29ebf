from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from orchestrator.doctor import identity
from orchestrator.doctor.findings import Check
from orchestrator.doctor.ground import Ground
from stepbench.aws import Clients
from stepbench.settings import of_values
from tests.doubles import refused

SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "ORCH_BUCKET": "payloads",
    "ORCH_STEPS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps",
}
ARN = "arn:aws:iam::123456789012:user/ada"


class Sts:
    """Answers as it is told."""

    def __init__(self, answer: Exception | dict[str, str]) -> None:
        self._answer = answer

    def get_caller_identity(self) -> dict[str, str]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def checked(monkeypatch: pytest.MonkeyPatch, answer: Any, **settings: str) -> Check:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret of ours")
    monkeypatch.setattr(Clients, "sts", Sts(answer))
    return identity.check(Ground(of_values(SETTINGS | settings)))


def test_whose_credentials_they_are_and_where_they_come_from_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    check = checked(monkeypatch, {"Arn": ARN, "Account": "123456789012"})
    assert check.state == "ok"
    assert check.found == f"{ARN} of account 123456789012, from the environment"


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch"])
def test_credentials_that_aws_does_not_accept_are_wrong(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    check = checked(monkeypatch, refused(code, "GetCallerIdentity", 403))
    assert check.state == "wrong"
    assert "AWS_ACCESS_KEY_ID" in (check.mend or "")
    assert "secret" not in check.model_dump_json()


@pytest.mark.parametrize(
    "error",
    [ConnectTimeoutError(endpoint_url="https://sts"), refused("AccessDenied", "GetCallerIdentity", 403)],
    ids=["out of reach", "refused"],
)
def test_an_sts_that_does_not_tell_stops_no_run(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    assert checked(monkeypatch, error).state == "note"


def test_a_server_of_ones_own_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    unasked = AssertionError("asked")
    check = checked(monkeypatch, unasked, AWS_ENDPOINT_URL_SQS="http://127.0.0.1:1")
    assert (check.state, "the endpoints are not AWS's own" in check.found) == ("note", True)
