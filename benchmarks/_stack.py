"""The emulators that both arms share, and processes on them that end with the block that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import IO

from orchestrator.local import environment
from orchestrator.local.stack import Stack, embedded_stack
from stepbench.settings import Settings

WORKER_READY = b"worker ready"
START_SECONDS = 60.0
END_SECONDS = 10.0


class ProgramFailed(Exception):
    """A program that takes part ended with an error, or too soon; its own words are in the message."""


@contextmanager
def emulators() -> Iterator[Stack]:
    """Emulated SQS and S3 with a bucket and queues, by default settings, whatever the user's own are."""
    with embedded_stack(Settings.model_construct()) as stack:
        yield stack


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with TemporaryDirectory(prefix="stepbench-") as folder:
        yield Path(folder)


def surroundings(stack: Stack | None = None) -> dict[str, str]:
    """Environment of a program in either arm: nothing of the user's that speaks of AWS, the stack's own if given."""
    cleaned = environment.cleaned(os.environ)
    if stack is None:
        return {**cleaned, **environment.CREDENTIALS}
    # Plain boto3 knows AWS_DEFAULT_REGION only.
    return {**cleaned, **stack.environment, "AWS_DEFAULT_REGION": stack.environment["AWS_REGION"]}


@contextmanager
def worker(stack: Stack, executors: int, under: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m worker` with its executors up, started by the command `under` if one is given.

    Raises ProgramFailed if it does not come up.
    """
    command = [*under, sys.executable, "-P", "-m", "worker", "--while-stdin-open", f"--executors={executors}"]
    settings = {"LOG_LEVEL": "info", "LOG_FORMAT": "json", "DRAIN_TIMEOUT": "1"}
    with (
        scratch() as folder,
        (folder / "log").open("wb") as log,
        running(command, {**surroundings(stack), **settings}, stderr=log, folder=folder) as process,
    ):
        _wait_for(WORKER_READY, process, folder / "log")
        yield process


@contextmanager
def running(
    command: Sequence[str],
    variables: dict[str, str],
    *,
    folder: Path,
    stdout: IO[bytes] | int | None = subprocess.DEVNULL,
    stderr: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in `folder` (so that it finds no `.env`); told to end, then killed, when the block ends before it."""
    process = subprocess.Popen(
        command, env=variables, cwd=folder, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def ended_well(process: subprocess.Popen[bytes], what: str, log: Path) -> None:
    """Waits for a program to end. Raises ProgramFailed with what it said if its exit code is not 0."""
    code = process.wait()
    if code:
        raise ProgramFailed(f"{what} ended with exit code {code}: {log.read_text(errors='replace').strip()}")


def _wait_for(words: bytes, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until `words` stand in the log."""
    deadline = monotonic() + START_SECONDS
    while words not in log.read_bytes():
        if process.poll() is not None or monotonic() > deadline:
            raise ProgramFailed(f"{process.args!r} did not come up: {log.read_text(errors='replace').strip()}")
        sleep(0.05)
