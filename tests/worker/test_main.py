"""`python -m worker` as its starter sees it; workers at work are in tests/runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic_ns

import pytest

from stepbench import settings_table
from worker import health_check

WORKER = [sys.executable, "-m", "worker"]
NOBODY = "http://127.0.0.1:9"
CONFIGURED = {
    "ORCH_BUCKET": "payloads",
    "ORCH_STEPS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/steps",
    "AWS_ENDPOINT_URL": NOBODY,
    "AWS_MAX_ATTEMPTS": "1",
    "EXECUTORS": "1",
}
REGION = {"AWS_REGION": "eu-west-1"}
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
OF_THE_WORKER = [row for row in settings_table.table() if "worker" in row.programs]
HEAVY = "boto3 botocore pyarrow rich structlog moto msgpack tenacity worker.loop stepbench.executors.process"


def worker(*flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WORKER, *flags],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def redirected(redirection: str, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m worker "$@" {redirection}', "sh", *flags],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_the_health_of_a_worker_is_looked_at_without_anything_heavy(tmp_path: Path) -> None:
    file = tmp_path / "health"
    heavy = f"{HEAVY} pydantic dotenv stepbench.settings stepbench.configuration worker.cli argparse"
    script = (
        f"import sys\nsys.argv[1:] = ['--check-health', {str(file)!r}]\nfrom worker.__main__ import main\n"
        f"code = main()\nprint([name for name in {heavy!r}.split() if name in sys.modules])\nsys.exit(code)"
    )

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    sentence, heavy_modules = answer.stdout.splitlines()
    assert (answer.returncode, heavy_modules) == (1, "[]"), answer.stderr
    assert sentence == f"{file} is not there: the worker is starting, has ended, or has another HEALTH_FILE"


@pytest.mark.parametrize(
    ("flags", "variables"),
    [
        (["--check-health", "health"], {}),
        (["--check-health=health"], {}),
        (["--check-health"], {"HEALTH_FILE": "health"}),
        (["--log-level", "info", "--check-health", "health"], {"HEALTH_FILE": "another"}),
    ],
)
def test_it_tells_how_the_worker_is_that_writes_the_health_file(flags: list[str], variables: dict[str, str]) -> None:
    health_check.write(Path("health"), [], monotonic_ns())

    answer = worker(*flags, **variables)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the worker is healthy\n", "")


def test_a_look_at_no_file_at_all_is_wrong_usage() -> None:
    answer = worker("--check-health")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "--health-file (HEALTH_FILE) is not set, and --check-health names no file\n"


def test_a_health_file_that_cannot_be_written_is_told_before_anything_is_begun() -> None:
    answer = worker(**{**CONFIGURED, **REGION, **KEYS, "HEALTH_FILE": "nowhere/health"})

    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr == (
        "HEALTH_FILE=nowhere/health cannot be written: No such file or directory; "
        "--health-file (HEALTH_FILE) names a file in a folder that can be\n"
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("lost", [">/dev/full", ">&-"])
@pytest.mark.parametrize("flags", [["--check-health", "health"], ["--check-health", "--health-file", "health"]])
def test_a_look_whose_words_are_lost_tells_by_its_exit_code(flags: list[str], lost: str, unbuffered: str) -> None:
    health_check.write(Path("health"), [], monotonic_ns())

    answer = redirected(lost, *flags, PYTHONUNBUFFERED=unbuffered)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


@pytest.mark.parametrize("lost", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize("flags", [[], ["extra"], ["--executors", "many"]])
def test_wrong_usage_that_cannot_be_told_is_still_that(flags: list[str], lost: str) -> None:
    answer = redirected(lost, *flags)

    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", "")


def test_help_lists_the_workers_settings_and_no_others() -> None:
    answer = worker("--help")

    assert (answer.returncode, answer.stderr) == (0, "")
    words = answer.stdout.split()
    for row in settings_table.table():
        assert (row.flag in words) is (row in OF_THE_WORKER)


def test_nothing_heavy_is_imported_for_help() -> None:
    script = (
        "import sys\nfrom worker.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r}.split() if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "--bucket (ORCH_BUCKET) is not set"),
        (["--bucket", "payloads"], "--steps-queue-url (ORCH_STEPS_QUEUE_URL) is not set"),
        (["--executors", "many"], "--executors many: must be a whole number"),
        (["--executor", "2"], "did you mean --executors?"),
        (["--serializer", "json"], "--serializer is a setting, but not one of this command"),
        (["extra"], "extra is no flag or argument"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_line(flags: list[str], told: str) -> None:
    answer = worker(*flags)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (KEYS, "no AWS region is set; --aws-region (AWS_REGION) names it"),
        ({**REGION, **KEYS, "AWS_PROFILE": "nowhere"}, "--aws-profile (AWS_PROFILE)"),
        (REGION, "AWS_ACCESS_KEY_ID or another source"),
    ],
)
def test_an_environment_that_refuses_is_exit_code_3_and_a_sentence(variables: dict[str, str], told: str) -> None:
    answer = worker(**{**CONFIGURED, **variables, "LOG_LEVEL": "error"})

    assert answer.returncode == 3, answer.stderr
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_too_few_open_files_are_exit_code_3_and_a_sentence() -> None:
    limited = ["sh", "-c", 'ulimit -n 10; exec "$@"', "sh", *WORKER, "--executors", "2"]
    environment = {**os.environ, **CONFIGURED, **REGION, **KEYS, "LOG_LEVEL": "error"}

    answer = subprocess.run(limited, capture_output=True, text=True, check=False, env=environment)

    assert answer.returncode == 3, answer.stderr
    assert "Too many open files" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_orchestrators_settings_do_not_concern_it() -> None:
    answer = worker(**{**CONFIGURED, "PAYLOAD_FILE": "gone.json", "STEPS": "none"})

    # There is no region: it came as far as that.
    assert answer.returncode == 3
    assert "PAYLOAD_FILE" not in answer.stderr


def test_a_line_of_the_file_that_is_nearly_ours_is_told() -> None:
    Path(".env").write_text("ORCH_BUKET=payloads\n")

    answer = worker(**CONFIGURED)
    assert "did you mean ORCH_BUCKET?" in answer.stderr


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_end_is_how_it_ends_well(asked: signal.Signals) -> None:
    environment = {**os.environ, **CONFIGURED, **REGION, **KEYS}
    with subprocess.Popen(
        WORKER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(asked)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (0, ""), err
    assert "Traceback" not in err


def test_it_ends_with_the_one_that_started_it_when_told_to() -> None:
    environment = {**os.environ, **CONFIGURED, **REGION, **KEYS}
    with subprocess.Popen(
        [*WORKER, "--while-stdin-open"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.stdin.close()
        assert running.wait(60) == 0
