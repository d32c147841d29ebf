"""A task of the orchestrator in ECS: started, followed line by line, and its exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scripts.remote.stack import OrchestratorTask

LOOK_SECONDS = 3.0


class NotStarted(Exception):
    """ECS did not take the task, in a sentence."""


def start(ecs: Any, task: OrchestratorTask, words: Sequence[str]) -> str:
    """Has ECS run `python -m orchestrator WORDS`; the task's ARN. Raises NotStarted, and botocore's ClientError."""
    network = {
        "subnets": task.subnet_ids,
        "securityGroups": [task.security_group_id],
        "assignPublicIp": "DISABLED",
    }
    answer = ecs.run_task(
        cluster=task.cluster,
        taskDefinition=task.definition,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"containerOverrides": [{"name": task.container, "command": ["orchestrator", *words]}]},
        propagateTags="TASK_DEFINITION",
        startedBy="run-on-aws",
    )
    if not answer["tasks"]:
        reasons = "; ".join(failure.get("reason", "no reason given") for failure in answer["failures"])
        raise NotStarted(f"ECS did not start the task: {reasons}")
    return str(answer["tasks"][0]["taskArn"])


def follow(ecs: Any, logs: Any, task: OrchestratorTask, arn: str, wait: Callable[[float], None]) -> Iterator[str]:
    """Lines of the task's log as they come, until it has stopped and all are told. `wait` lets seconds pass."""
    token: str | None = None
    while True:
        stopped = _described(ecs, task, arn).get("lastStatus") == "STOPPED"
        while True:
            lines, next_token = _read(logs, task, arn, token)
            yield from lines
            # The end of a stream is told by the same token again.
            if next_token == token:
                break
            token = next_token
        if stopped:
            return
        wait(LOOK_SECONDS)


def ending(ecs: Any, task: OrchestratorTask, arn: str) -> tuple[int | None, str]:
    """Exit code of a stopped task's container, null where it never ran; and why ECS stopped it."""
    described = _described(ecs, task, arn)
    containers = described.get("containers", [])
    codes = [container.get("exitCode") for container in containers if container["name"] == task.container]
    return next(iter(codes), None), described.get("stoppedReason", "")


def stream_of(task: OrchestratorTask, arn: str) -> str:
    """Name of the task's log stream: the definition's prefix, the container, the task's id."""
    return f"orchestrator/{task.container}/{arn.rpartition('/')[2]}"


def _described(ecs: Any, task: OrchestratorTask, arn: str) -> dict[str, Any]:
    """Nothing for a moment after its start: what ECS tells follows later than what it does."""
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster=task.cluster, tasks=[arn])["tasks"]
    return found[0] if found else {}


def _read(logs: Any, task: OrchestratorTask, arn: str, token: str | None) -> tuple[list[str], str | None]:
    """Lines after `token`, and the next one; none before the task has written its first."""
    after = {} if token is None else {"nextToken": token}
    try:
        answer = logs.get_log_events(
            logGroupName=task.log_group, logStreamName=stream_of(task, arn), startFromHead=True, **after
        )
    except logs.exceptions.ResourceNotFoundException:
        return [], token
    return [event["message"] for event in answer["events"]], answer["nextForwardToken"]
