"""scripts/run-on-aws: what ECS is told, what of the log is printed, and the exit code. AWS is a stand-in here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.docs.tree import ROOT
from scripts.remote import __main__ as program
from scripts.remote import running
from scripts.remote.stack import NoStack, OrchestratorTask

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/bench/0123abc"
STREAM = "orchestrator/orchestrator/0123abc"
OUTPUTS = {
    "region": "eu-west-1",
    "log_group_name": "/stepbench/bench",
    "orchestrator_task": {
        "task_definition": "arn:definition",
        "container": "orchestrator",
        "cluster": "bench",
        "subnet_ids": ["subnet-1"],
        "security_group_id": "sg-1",
    },
}
TASK = OrchestratorTask.of_outputs(json.dumps({name: {"value": value} for name, value in OUTPUTS.items()}))


class NotFound(Exception):
    pass


class Region:
    """ECS and CloudWatch Logs as one task sees them: each look at the task is one further in its `life`."""

    class exceptions:  # noqa: N801 # boto3's clients call it so
        ResourceNotFoundException = NotFound

    def __init__(self, life: list[tuple[str, list[str] | None]], exit_code: int | None = 0, reason: str = "") -> None:
        self.life, self.exit_code, self.reason = life, exit_code, reason
        self.told: dict[str, Any] = {}
        self._looks = 0

    def client(self, _service: str) -> Region:
        return self

    def run_task(self, **told: Any) -> dict[str, Any]:
        self.told = told
        return {"tasks": [{"taskArn": ARN}], "failures": []}

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert (cluster, tasks) == ("bench", [ARN])
        self._looks += 1
        status, _ = self._now()
        container = {"name": "orchestrator"} | ({} if self.exit_code is None else {"exitCode": self.exit_code})
        described = {"lastStatus": status, "containers": [container], "stoppedReason": self.reason}
        return {"tasks": [described] if status else []}

    def get_log_events(self, logGroupName: str, logStreamName: str, **at: Any) -> dict[str, Any]:  # noqa: N803 # boto3's words
        assert (logGroupName, logStreamName) == ("/stepbench/bench", STREAM)
        _, lines = self._now()
        if lines is None:
            raise NotFound
        seen = int(at.get("nextToken", "0"))
        return {"events": [{"message": line} for line in lines[seen:]], "nextForwardToken": str(len(lines))}

    def _now(self) -> tuple[str, list[str] | None]:
        return self.life[min(self._looks, len(self.life)) - 1]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def test_a_task_runs_the_command_where_the_stack_has_its_tasks() -> None:
    region = Region([("STOPPED", [])])
    assert program.run(region, TASK, ["start", "--steps", "5"], detach=False) == 0
    assert region.told["taskDefinition"] == "arn:definition"
    assert region.told["overrides"] == {
        "containerOverrides": [{"name": "orchestrator", "command": ["orchestrator", "start", "--steps", "5"]}]
    }
    network = region.told["networkConfiguration"]["awsvpcConfiguration"]
    assert network == {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}


@pytest.mark.parametrize("code", [0, 1, 3])
def test_its_log_is_printed_once_and_whole_and_its_exit_code_is_ours(
    code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    life = [
        ("", None),
        ("PROVISIONING", None),
        ("RUNNING", ["a"]),
        ("RUNNING", ["a", "b"]),
        ("STOPPED", ["a", "b", "c"]),
    ]
    assert program.run(Region(life, code), TASK, ["start"], detach=False) == code
    assert capsys.readouterr().out.splitlines() == ["a", "b", "c"]


def test_what_is_written_last_is_printed_although_the_task_has_stopped_by_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    program.run(Region([("RUNNING", ["a"]), ("STOPPED", ["a", "b"])]), TASK, ["start"], detach=False)
    assert capsys.readouterr().out.splitlines() == ["a", "b"]


def test_a_task_that_never_ran_is_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    region = Region([("STOPPED", None)], exit_code=None, reason="CannotPullContainerError: not found")
    assert program.run(region, TASK, ["start"], detach=False) == 3
    assert "CannotPullContainerError" in capsys.readouterr().err


def test_a_task_that_ecs_refuses_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    region = Region([])
    monkeypatch.setattr(region, "run_task", lambda **_: {"tasks": [], "failures": [{"reason": "RESOURCE:ENI"}]})
    with pytest.raises(running.NotStarted, match="RESOURCE:ENI"):
        program.run(region, TASK, ["start"], detach=False)


def test_a_detached_task_is_left_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run(Region([]), TASK, ["start"], detach=True) == 0
    said = capsys.readouterr().err
    assert ARN in said
    assert STREAM in said


def test_whoever_stops_watching_is_told_how_to_stop_the_task(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    assert program.run(Region([("RUNNING", [])]), TASK, ["start"], detach=False) == 130
    assert f"aws ecs stop-task --region eu-west-1 --cluster bench --task {ARN}" in capsys.readouterr().err


def test_without_a_stack_it_says_what_makes_one() -> None:
    with pytest.raises(NoStack, match="scripts/deploy"):
        OrchestratorTask.of_outputs("{}")


def test_a_task_has_the_stacks_tags_and_the_right_to_give_them_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    region = Region([])
    program.run(region, TASK, ["start"], detach=True)
    assert region.told["propagateTags"] == "TASK_DEFINITION"
    with pytest.raises(SystemExit):
        program.main(["--help"])
    rights = " ".join(capsys.readouterr().out.split())
    assert all(right in rights for right in ("ecs:RunTask", "ecs:TagResource", "ecs:DescribeTasks", "iam:PassRole"))


def test_a_command_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 2
    assert "no command" in capsys.readouterr().err


def test_whoever_can_no_longer_follow_is_told_that_the_task_goes_on_and_how_to_stop_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def expired(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, "DescribeTasks")

    region = Region([("RUNNING", [])])
    monkeypatch.setattr(region, "describe_tasks", expired)
    assert program.run(region, TASK, ["start"], detach=False) == 3
    said = capsys.readouterr().err
    assert "ExpiredTokenException" in said
    assert "the task goes on" in said
    assert f"--task {ARN}" in said


def test_a_reader_who_has_enough_of_the_log_sees_no_traceback() -> None:
    """As `scripts/run-on-aws start | head -1` does."""
    script = (
        "from tests.scripts.test_run_on_aws import TASK, Region\n"
        "from scripts.remote.__main__ import run\n"
        "import sys; sys.exit(run(Region([('RUNNING', ['a'] * 100_000)]), TASK, ['start'], detach=False))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        assert following.stdout.readline() == "a\n"
        following.stdout.close()
        said = following.stderr.read()
    assert following.returncode == 3
    assert "Traceback" not in said
    assert "the task goes on" in said
