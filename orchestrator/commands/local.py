"""`local`: the embedded stack for other terminals, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stepbench.settings import Settings

HELP = "keep an emulated S3, an emulated SQS and a worker on this machine until Ctrl-C, for other terminals"
SETTINGS: tuple[str, ...] | None = (
    "ORCH_PREFIX",
    "ORCH_RESULTS_QUEUE_PREFIX",
    "EXECUTORS",
    "EXECUTOR_MAX_STEPS",
    "VISIBILITY_TIMEOUT",
    "LOG_LEVEL",
    "LOG_FORMAT",
)
_LOOK_SECONDS = 1.0
_HEADING = """\
Emulated S3 and SQS are up{worker}; Ctrl-C ends them and all that is in them.
In another terminal, paste these lines, then: {next}
"""
_WITH_WORKER = {"worker": ", with a worker", "next": "python -m orchestrator start"}
_WITHOUT_WORKER = {
    "worker": ", without a worker",
    "next": "python -m worker\nIn a third, paste them too, then: python -m orchestrator start",
}
_REPLACED = """\
The worker {death}; another one was started. Steps that it held come back within {seconds} s (VISIBILITY_TIMEOUT).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """With or without a worker."""
    parser.add_argument(
        "--no-worker", action="store_true", help="start no worker: you do, with python -m worker in another terminal"
    )


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0 when ended by Ctrl-C or SIGTERM, which are the ways to end it. Raises EnvironmentRefused if it cannot start."""
    from orchestrator.local.environment import for_second_terminal
    from orchestrator.local.lasting_worker import LastingWorker
    from orchestrator.local.stack import START_DEADLINE_SECONDS, embedded_stack
    from stepbench import env_file
    from stepbench.machine import cores

    ended = _asked_to_end()
    with embedded_stack(settings) as stack, ExitStack() as block:
        worker = None
        if not arguments.no_worker:
            worker = block.enter_context(LastingWorker(lambda: stack.worker(settings.executors or cores())))
            worker.wait_until_ready(START_DEADLINE_SECONDS)
        _say(_HEADING.format(**_WITH_WORKER if worker else _WITHOUT_WORKER))
        print("\n".join(lines(for_second_terminal(stack.environment, os.environ, env_file.read().values))), flush=True)
        while not ended.wait(_LOOK_SECONDS):
            stack.check()
            if worker is not None and (death := worker.replaced()) is not None:
                _say(_REPLACED.format(death=death, seconds=settings.visibility_timeout_seconds))
    return 0


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def lines(variables: dict[str, str]) -> Iterator[str]:
    """Lines for a shell."""
    return (f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _asked_to_end() -> threading.Event:
    """Set by Ctrl-C and SIGTERM from now on, so that neither interrupts the stack's own start or end."""
    ended = threading.Event()

    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda *_: ended.set())
    return ended
