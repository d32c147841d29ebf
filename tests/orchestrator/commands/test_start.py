"""What `start` refuses, in whole processes; runs that begin are in tests/runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = "http://127.0.0.1:9"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/steps"
ELSEWHERE = {
    "ORCH_BUCKET": "payloads",
    "ORCH_STEPS_QUEUE_URL": QUEUE,
    "PAYLOAD_MB": "0.01",
    "AWS_ENDPOINT_URL": NOBODY,
    "AWS_MAX_ATTEMPTS": "1",
}
REGION = {"AWS_REGION": "eu-west-1"}
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


def start(*flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator", "start", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (REGION, "AWS_ACCESS_KEY_ID or another source"),
        (KEYS, "no AWS region is set; --aws-region (AWS_REGION) names it"),
        ({**REGION, **KEYS, "AWS_PROFILE": "nowhere"}, "--aws-profile (AWS_PROFILE)"),
        ({**REGION, **KEYS}, NOBODY),
        ({**REGION, **KEYS}, "--aws-endpoint-url (AWS_ENDPOINT_URL)"),
        ({**KEYS, "AWS_REGION": "eu west 1"}, "--aws-region (AWS_REGION)"),
        ({**REGION, **KEYS, "AWS_CONFIG_FILE": "broken"}, "broken"),
    ],
)
def test_an_environment_that_refuses_is_exit_code_3_and_one_sentence(variables: dict[str, str], told: str) -> None:
    Path("broken").write_text("no section\n")

    answer = start("--json", **{**ELSEWHERE, **variables})

    assert (answer.returncode, answer.stdout) == (3, ""), answer.stderr
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--bucket", "payloads"], "--steps-queue-url (ORCH_STEPS_QUEUE_URL)"),
        (["--serializer", "jsn"], "did you mean json?"),
        (["--payload-file", "gone.json"], "gone.json"),
        (["--payload-file", "ragged.csv"], "ragged.csv"),
        (["--payload-file", "torn.json"], "torn.json"),
        (["--payload-file", "mixed.json", "--serializer", "arrow"], "mixed.json"),
        (["--metrics-dir", "ragged.csv"], "ragged.csv"),
        (["--metrics-dir", "/dev/null/out"], "/dev/null/out"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_line(flags: list[str], told: str) -> None:
    Path("ragged.csv").write_text("a,b\n1,2\n3\n")
    Path("torn.json").write_text('[{"a": 1}, {"a"')
    Path("mixed.json").write_text('[{"a": 1}, {"a": "x"}]')

    answer = start("--quiet", *flags)

    assert (answer.returncode, answer.stdout) == (2, ""), answer.stderr
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not Path("out").exists()


def test_a_file_of_no_use_is_told_before_any_emulator_is_started() -> None:
    Path("bad.json").write_text("[")
    Path("sitecustomize.py").write_text(
        "import sys\nif 'orchestrator.local.emulator' in sys.orig_argv: sys.exit('!')\n"
    )

    answer = start("--quiet", "--payload-file=bad.json", PYTHONPATH=os.pathsep.join([".", os.environ["PYTHONPATH"]]))

    assert answer.returncode == 2
    assert answer.stderr.startswith("--payload-file (PAYLOAD_FILE): bad.json: it is no JSON: ")
    assert answer.stderr.count("bad.json") == 1


def test_all_that_is_wrong_is_told_at_once_wherever_it_comes_from() -> None:
    Path(".env").write_text("CHAINS=0\n")

    answer = start("--steps", "none", "--metrics-dir", "/dev/null/out", CONCURRENCY="many", PAYLOAD_FILE="gone.csv")

    assert answer.returncode == 2
    assert [line.partition(":")[0] for line in sorted(answer.stderr.splitlines())] == [
        "--metrics-dir (METRICS_DIR)",
        "--payload-file (PAYLOAD_FILE)",
        "--steps none",
        "CHAINS=0 in .env (flag --chains)",
        "CONCURRENCY=many (flag --concurrency)",
    ]
