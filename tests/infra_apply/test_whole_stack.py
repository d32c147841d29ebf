"""From nothing to the samples of a run, and back to nothing: terraform and both programs in an emulated account.

The worker and the orchestrator are told what the stack's task definitions tell their tasks, may do what the stack's
roles allow and nothing else, and meet at the stack's queue and bucket. Proven is so that all of that fits together; not
that AWS takes each call as moto does, nor that ECS starts the tasks: nothing of that runs here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra_apply.stack import Stack, inventory, stack_of
from tests.runs.programs import Outcome, RunProgram, WorkerProgram

pytestmark = pytest.mark.infra


@pytest.mark.parametrize(("example", "fleet"), [("smallest-fargate", "small"), ("several-fleets", "c7g")])
def test_a_stack_is_made_runs_five_steps_and_is_removed_whole(example: str, fleet: str, tmp_path: Path) -> None:
    with stack_of(example, tmp_path) as stack:
        before = inventory(stack.account)
        deployed = stack.deploy(env_file_of(tmp_path / "run"))
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        assert stack.changes() == []
        made = inventory(stack.account)

        outcome = run_of(stack, fleet, tmp_path)

        assert outcome.exit_code == 0, outcome.stderr
        assert [sample["step"] for sample in outcome.samples] == [1, 2, 3, 4, 5]
        assert outcome.lines[-1]["kind"] == "summary"
        assert outcome.plan["records_seed"] == 7, "a line of the user's own in .env"
        assert inventory(stack.account) == made, "a run leaves none of its queues"
        assert tasks_wanted(stack) == {each: int(each == fleet) for each in stack.outputs()["fleets"]}
        what_no_policy_allows_is_refused(stack, fleet)
        assert command_of_the_task_that_run_on_aws_starts(stack) == ["orchestrator", "start", "--steps", "5"]
        assert stack.changes() == []
        stack.destroy()

        assert inventory(stack.account) == before


def run_of(stack: Stack, fleet: str, folder: Path) -> Outcome:
    """`start --fleet` where `.env` was written, as the orchestrator's role, with one worker of that fleet."""
    worker = worker_of(stack, fleet, folder / fleet)
    run = RunProgram(
        ["orchestrator", "start", "--steps", "5", "--payload-mb", "0.05", "--fleet", fleet],
        folder / "run",
        {**os.environ, **stack.task("orchestrator")[0].environment},
    )
    try:
        return run.outcome()
    finally:
        run.kill()
        worker.kill()


def env_file_of(folder: Path) -> Path:
    """A `.env` with a line of the user's."""
    folder.mkdir()
    (folder / ".env").write_text("RECORDS_SEED=7\n", encoding="utf-8")
    return folder / ".env"


def worker_of(stack: Stack, fleet: str, folder: Path) -> WorkerProgram:
    """What the fleet's task definition starts, as its role. Its health file is elsewhere: there may be others here."""
    user, told = stack.task(fleet)
    told |= {"HEALTH_FILE": str(folder / "health"), "EXECUTORS": "1"}
    return WorkerProgram(["worker"], folder, {**os.environ, **told, **user.environment})


def tasks_wanted(stack: Stack) -> dict[str, int]:
    """How many workers each fleet is to have: `start --fleet` began one."""
    fleets = stack.outputs()["fleets"]
    return {name: stack.account.desired_count(fleet["cluster"], fleet["service"]) for name, fleet in fleets.items()}


def what_no_policy_allows_is_refused(stack: Stack, fleet: str) -> None:
    """Otherwise nothing above would prove that the policies are enough."""
    worker, _ = stack.task(fleet)
    s3, sqs = (stack.account.client_of(worker, service) for service in ("s3", "sqs"))
    bucket, steps = stack.outputs()["bucket"], stack.outputs()["steps_queue_urls"][fleet]
    beyond: list[tuple[Any, dict[str, Any]]] = [
        (s3.put_object, {"Bucket": bucket, "Key": "elsewhere/x", "Body": b""}),
        (s3.list_objects_v2, {"Bucket": bucket}),
        (sqs.send_message, {"QueueUrl": steps, "MessageBody": "x"}),
        (sqs.create_queue, {"QueueName": "mine"}),
    ]
    for call, arguments in beyond:
        with pytest.raises(ClientError, match="AccessDenied"):
            call(**arguments)


def command_of_the_task_that_run_on_aws_starts(stack: Stack) -> list[str]:
    """What ECS was told to run. Nothing runs there; the task is ended."""
    done = stack.script("run-on-aws", "--detach", "start", "--steps", "5")
    assert done.returncode == 0, done.stderr
    ecs, cluster = stack.account.client("ecs"), stack.outputs()["cluster_name"]
    [arn] = ecs.list_tasks(cluster=cluster)["taskArns"]
    [task] = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
    ecs.stop_task(cluster=cluster, task=arn)
    [override] = task["overrides"]["containerOverrides"]
    command: list[str] = override["command"]
    return command
