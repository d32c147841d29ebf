"""What `doctor` says where nothing can be reached, in whole processes; fleets are in tests/runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

NOBODY = "http://127.0.0.1:9"
ELSEWHERE = {
    "ORCH_BUCKET": "payloads",
    "ORCH_STEPS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps",
    "AWS_ENDPOINT_URL": NOBODY,
    "CONNECT_TIMEOUT": "1",
}
REGION = {"AWS_REGION": "eu-west-1"}
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


def doctor(*flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator", "doctor", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})


@pytest.mark.parametrize(
    ("variables", "name", "told"),
    [
        (REGION, "Credentials", "AWS_ACCESS_KEY_ID or another source"),
        (KEYS, "Region", "--aws-region (AWS_REGION)"),
        ({**REGION, **KEYS, "AWS_PROFILE": "nowhere"}, "Credentials", "--aws-profile (AWS_PROFILE)"),
        ({**REGION, **KEYS}, "Bucket", "--aws-endpoint-url (AWS_ENDPOINT_URL)"),
    ],
    ids=["no credentials", "no region", "no such profile", "nobody there"],
)
def test_what_stands_in_the_way_is_exit_code_3_with_what_mends_it(
    variables: dict[str, str], name: str, told: str
) -> None:
    answer = doctor("--json", **{**ELSEWHERE, **variables})

    assert (answer.returncode, answer.stderr) == (3, "")
    diagnosis = json.loads(answer.stdout)
    assert diagnosis["ok"] is False
    (check,) = [check for check in diagnosis["checks"] if check["name"] == name]
    assert check["state"] == "wrong"
    assert told in check["mend"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ((), "--bucket (ORCH_BUCKET)"),
        (("--wait", "soon"), "'soon' is no number of seconds"),
        (("--wait", "nan"), "'nan' is no number of seconds"),
        (("--workers", "0"), "'0' is no number of workers"),
    ],
)
def test_wrong_usage_is_exit_code_2(flags: tuple[str, ...], told: str) -> None:
    answer = doctor(*flags)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
