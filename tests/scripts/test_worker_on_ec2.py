"""scripts/worker-on-ec2: user data that makes an instance a worker, tried without systemd or docker."""

from __future__ import annotations

import configparser
import os
import subprocess
from pathlib import Path

import pytest

from scripts.docs.tree import ROOT
from stepbench import env_file

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest"
DOTENV = """STEPS=3
AWS_REGION=eu-west-1
ORCH_BUCKET=payloads
ORCH_FLEETS='{"small":{"steps_queue_url":"https://sqs/small"},"c7g":{"steps_queue_url":"https://sqs/c7g"}}'
ORCH_PREFIX=runs/{date}/{run_id}/
ORCH_RESULTS_QUEUE_PREFIX=bench-results-
ORCH_STEPS_QUEUE_URL=https://sqs/small
SSE=s3
"""


def script(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "scripts" / "worker-on-ec2"), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(DOTENV)
    return path


class Instance:
    """What the user data does to an instance: in a folder in place of /etc, with a log of the commands."""

    def __init__(self, user_data: str, folder: Path) -> None:
        self.root = folder / "root"
        (self.root / "systemd" / "system").mkdir(parents=True)
        programs = folder / "programs"
        programs.mkdir()
        for name in ("dnf", "systemctl"):
            (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{folder}/calls\n')
            (programs / name).chmod(0o755)
        done = subprocess.run(
            ["bash", "-c", user_data.replace("/etc/", f"{self.root}/")],
            env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.calls = (folder / "calls").read_text().splitlines()

    @property
    def settings(self) -> list[str]:
        return (self.root / "stepbench" / "worker.env").read_text().splitlines()

    def unit(self) -> str:
        return (self.root / "systemd" / "system" / "stepbench-worker.service").read_text()


def test_an_instance_runs_the_image_under_systemd_with_a_workers_settings(dotenv: Path, tmp_path: Path) -> None:
    printed = script("--image", ECR, "--fleet", "c7g", "--set", "EXECUTORS=4")
    assert (printed.returncode, printed.stderr) == (0, "")

    instance = Instance(printed.stdout, tmp_path)

    assert instance.settings == [
        *("DRAIN_TIMEOUT=100", "LOG_FORMAT=json", "AWS_REGION=eu-west-1", "ORCH_BUCKET=payloads"),
        *("ORCH_PREFIX=runs/{date}/{run_id}/", "ORCH_STEPS_QUEUE_URL=https://sqs/c7g"),
        *("ORCH_RESULTS_QUEUE_PREFIX=bench-results-", "EXECUTORS=4"),
    ]
    assert instance.calls[-1] == "systemctl enable --now docker stepbench-worker"
    unit = configparser.RawConfigParser(strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names have capitals
    unit.read_string(instance.unit())
    assert unit["Service"]["ExecStart"].endswith(f"{ECR} worker")
    assert "--read-only --tmpfs /tmp --cap-drop all" in unit["Service"]["ExecStart"]
    assert unit["Service"]["Restart"] == "always"


ODD = """export AWS_REGION="eu-west-1" # where
ORCH_BUCKET=others
ORCH_BUCKET = payloads   # mine
ORCH_STEPS_QUEUE_URL='https://sqs/small'\x20
ORCH_FLEETS="{\\"c7g\\":{\\"steps_queue_url\\":\\"https://sqs/c7g\\"}}"
ORCH_PREFIX=runs#1/{date}/{run_id}/"""


@pytest.mark.parametrize("content", [ODD, "\ufeff" + ODD, ODD.replace("\n", "\r\n")], ids=["odd", "BOM", "CRLF"])
def test_the_file_is_read_as_the_orchestrator_reads_it(dotenv: Path, tmp_path: Path, content: str) -> None:
    dotenv.write_bytes(content.encode())
    read = env_file.read().values
    assert read["ORCH_BUCKET"] == "payloads"

    of_queue = Instance(script("--image", ECR).stdout, tmp_path / "queue").settings
    of_fleet = Instance(script("--image", ECR, "--fleet", "c7g").stdout, tmp_path / "fleet").settings

    names = ("AWS_REGION", "ORCH_BUCKET", "ORCH_PREFIX", "ORCH_STEPS_QUEUE_URL")
    assert of_queue[2:] == [f"{name}={read[name]}" for name in names]
    assert of_fleet[-1] == "ORCH_STEPS_QUEUE_URL=https://sqs/c7g"


def test_what_is_set_by_hand_need_not_be_in_the_file(dotenv: Path, tmp_path: Path) -> None:
    dotenv.write_text("ORCH_BUCKET=payloads\nORCH_STEPS_QUEUE_URL=https://sqs/small\n")
    printed = script("--image", ECR, "--set", "AWS_REGION=eu-west-1")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "AWS_REGION=eu-west-1" in Instance(printed.stdout, tmp_path).settings


def test_a_value_in_the_file_that_is_none_is_told_by_its_name(dotenv: Path) -> None:
    dotenv.write_text(DOTENV + "ORCH_BUCKET=pay\x07loads\n")
    done = script("--image", ECR)
    assert done.returncode == 2
    assert "ORCH_BUCKET" in done.stderr
    assert "--set" not in done.stderr


def test_a_folder_is_no_file_of_settings(dotenv: Path) -> None:
    done = script("--image", ECR, "--env-file", str(dotenv.parent))
    assert done.returncode == 2
    assert "--env-file" in done.stderr


def test_a_worker_has_longer_to_drain_than_it_wants(dotenv: Path, tmp_path: Path) -> None:
    instance = Instance(script("--image", ECR).stdout, tmp_path)
    drains = int(next(line for line in instance.settings if "DRAIN" in line).partition("=")[2])
    stop = int(instance.unit().partition("--time ")[2].split()[0])
    unit = int(instance.unit().partition("TimeoutStopSec=")[2].split()[0])
    assert drains < stop < unit


def test_only_for_ecr_does_it_log_in(dotenv: Path, tmp_path: Path) -> None:
    assert "get-login-password --region eu-west-1" in script("--image", ECR).stdout
    assert "docker login" not in script("--image", "registry.example/stepbench:1").stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--image"),
        (("--image",), "--image"),
        (("--image", "a; reboot"), "--image"),
        (("--image", ECR, "--fleet", "big"), "big"),
        (("--image", ECR, "--env-file", "nowhere"), "nowhere"),
        (("--image", ECR, "--set", "executors"), "--set"),
        (("--image", ECR, "now"), "now"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(dotenv: Path, arguments: tuple[str, ...], named: str) -> None:
    done = script(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr


def test_a_file_that_no_deploy_has_written_is_told(dotenv: Path) -> None:
    dotenv.write_text("STEPS=3\n")
    done = script("--image", ECR)
    assert (done.returncode, done.stdout) == (2, "")
    assert "scripts/deploy" in done.stderr
