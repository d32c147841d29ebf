from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import alive_in_group, wait_until

LAST_LINE = "export AWS_EC2_METADATA_DISABLED=true\n"
USE_IT = """
from stepbench.aws import AwsConfig, Clients
from stepbench.settings import Settings

settings = Settings()
clients = Clients(AwsConfig.of(settings))
clients.sqs.send_message(QueueUrl=settings.steps_queue_url, MessageBody="not a step message")
clients.s3.put_object(Bucket=settings.bucket, Key="key", Body=b"")
"""


@contextmanager
def local(*flags: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command, and the lines that it printed."""
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "local", *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    ) as running:
        assert running.stdout is not None
        try:
            yield running, "".join(iter(running.stdout.readline, LAST_LINE)) + LAST_LINE
        finally:
            running.kill()


def test_a_second_terminal_can_use_what_it_prints() -> None:
    users = {"AWS_PROFILE": "no-such-profile", "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    Path(".env").write_text("AWS_PROFILE=another\n")
    with local("--no-worker") as (_, lines):
        script = f'{lines}\nexec "{sys.executable}" -c "$0"'
        subprocess.run(["sh", "-ec", script, USE_IT], env={**os.environ, **users}, check=True)


def test_every_line_on_stdout_is_for_the_shell_and_the_rest_for_people() -> None:
    with local("--no-worker") as (running, lines):
        assert all(line.startswith("export ") for line in lines.splitlines())
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=60)
    assert out == ""
    assert "Ctrl-C" in said


def test_nothing_is_printed_for_other_terminals_before_the_worker_is_ready() -> None:
    Path("sitecustomize.py").write_text("import os, sys\nif 'worker' in sys.orig_argv: os._exit(9)\n")
    path = os.pathsep.join([str(Path.cwd()), os.environ["PYTHONPATH"]])

    answer = subprocess.run(
        [sys.executable, "-m", "orchestrator", "local"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr == "the worker ended before it was ready\n"


def test_a_worker_that_dies_is_followed_by_another_and_what_is_in_the_emulators_stays() -> None:
    with local("--visibility-timeout=2") as (running, lines):
        first = _worker_of(running.pid)
        assert first is not None
        emulators = {*_children_of(running.pid)} - {first}
        subprocess.run(["sh", "-ec", f'{lines}\nexec "{sys.executable}" -c "$0"', USE_IT], check=True)

        os.kill(first, signal.SIGKILL)

        wait_until(lambda: _worker_of(running.pid) not in (None, first), "another worker is there")
        assert emulators < set(_children_of(running.pid))
        assert alive_in_group(first) == []
        start = [sys.executable, "-m", "orchestrator", "start", "--steps=1", "--payload-mb=0.01", "--quiet", "--json"]
        script = f'{lines}\nexec "$0" "$@"'
        done = subprocess.run(["sh", "-ec", script, *start], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (
        "The worker was killed by SIGKILL, as the kernel does when memory runs out; another one was started. "
        "Steps that it held come back within 2 s (VISIBILITY_TIMEOUT)."
    ) in said.splitlines()


def test_without_a_worker_it_says_that_one_is_to_be_started() -> None:
    with local("--no-worker") as (running, _):
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert "without a worker" in said
    assert "paste these lines, then: python -m worker\n" in said


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_end_is_how_it_ends_well(asked: signal.Signals) -> None:
    with local() as (running, _):
        children = _children_of(running.pid)
        assert len(children) == 3
        running.send_signal(asked)
        assert running.wait(60) == 0
    for group in children:
        wait_until(lambda: alive_in_group(group) == [], f"group {group} is empty")  # noqa: B023 # called at once


def test_its_end_by_kill_is_the_end_of_all_that_it_started() -> None:
    with local() as (running, _):
        children = _children_of(running.pid)
        running.kill()
    for group in children:
        wait_until(lambda: alive_in_group(group) == [], f"group {group} is empty")  # noqa: B023 # called at once


def _worker_of(process: int) -> int | None:
    """Its worker's process, which is the one that is no emulator."""
    for child in _children_of(process):
        if b"\0worker\0" in (Path("/proc") / str(child) / "cmdline").read_bytes():
            return child
    return None


def _children_of(process: int) -> list[int]:
    if not Path("/proc").exists():
        pytest.skip("reads /proc")
    answer = (Path("/proc") / str(process) / "task" / str(process) / "children").read_text()
    return [int(child) for child in answer.split()]
