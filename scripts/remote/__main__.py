"""`python -m scripts.remote`, called by scripts/run-on-aws: a command of the orchestrator, in the stack's region."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from scripts.remote import running, stack
from scripts.remote.stack import OrchestratorTask

WRONG_USAGE, REFUSED, INTERRUPTED = 2, 3, 130


def main(arguments: list[str]) -> int:
    """The orchestrator's own exit code; 0 with --detach; 3 where it was not started or followed, 130 for Ctrl-C."""
    asked = _parser().parse_args(arguments)
    if not asked.command:
        return _say("no command is named: run-on-aws start --fleet NAME is one", WRONG_USAGE)
    try:
        task = stack.described()
    except stack.NoStack as error:
        return _say(str(error), REFUSED)
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError:
        return _say("the package boto3 is not installed: make run sets up .venv with it", REFUSED)
    try:
        session: Any = boto3.Session(region_name=task.region)
        return run(session, task, asked.command, detach=asked.detach)
    except running.NotStarted as error:
        return _say(str(error), REFUSED)
    except (BotoCoreError, ClientError) as error:
        return _say(f"AWS refused or did not answer: {error}", REFUSED)


def run(session: Any, task: OrchestratorTask, words: list[str], *, detach: bool) -> int:
    """Starts the task and, but with `detach`, prints its log until it has ended. Exit code as of `main`."""
    from botocore.exceptions import BotoCoreError, ClientError

    ecs = session.client("ecs")
    arn = running.start(ecs, task, words)
    stop = f"aws ecs stop-task --region {task.region} --cluster {task.cluster} --task {arn}"
    print(f"started {arn}; log: {task.log_group}, {running.stream_of(task, arn)}", file=sys.stderr, flush=True)
    if detach:
        return 0
    try:
        for line in running.follow(ecs, session.client("logs"), task, arn, time.sleep):
            print(line, flush=True)
        code, reason = running.ending(ecs, task, arn)
    except KeyboardInterrupt:
        return _say(f"the task goes on without you; to interrupt it: {stop}", INTERRUPTED)
    except BrokenPipeError:
        # Else Python writes what is left once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _say(f"nobody reads its log any more; the task goes on; to interrupt it: {stop}", REFUSED)
    except (BotoCoreError, ClientError) as error:
        return _say(f"it cannot be followed ({error}); the task goes on; to interrupt it: {stop}", REFUSED)
    if code is None:
        return _say(f"the orchestrator did not run: {reason or 'ECS gives no reason'}", REFUSED)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/run-on-aws",
        description="Runs a command of the orchestrator as a task in the stack's region, close to its queues and "
        "bucket, prints its log while it runs and ends with its exit code. Wants ecs:RunTask, ecs:TagResource (for the "
        "stack's tags), ecs:DescribeTasks, logs:GetLogEvents, and iam:PassRole for the roles of the task.",
    )
    parser.add_argument("--detach", action="store_true", help="start it and leave it to itself")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="such as: start --fleet small --steps 5", metavar="COMMAND ..."
    )
    return parser


def _say(sentence: str, code: int) -> int:
    print(f"run-on-aws: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
