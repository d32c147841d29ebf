from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from orchestrator.local.children import child
from stepbench.errors import EnvironmentRefused
from tests.processes import alive_in_group, wait_until

UNTIL_STDIN_ENDS = "import sys; sys.stdin.read()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"


def running(program: str, *, captured: bool = True, grace_seconds: float = 30.0) -> Any:
    command = [sys.executable, "-c", program]
    return child("the child", command, os.environ, captured=captured, grace_seconds=grace_seconds)


def test_its_first_line_is_its_ready_line() -> None:
    with running(f"print('4711', flush=True); {UNTIL_STDIN_ENDS}") as it:
        assert it.ready_line(60) == "4711"


def test_one_that_ends_before_it_is_ready_is_an_error_with_what_it_said() -> None:
    told = pytest.raises(EnvironmentRefused, match="the child ended before it was ready: no such thing")
    with running("import sys; sys.exit('no such thing')") as it, told:
        it.ready_line(60)


def test_one_that_is_not_ready_in_time_is_an_error() -> None:
    with running(UNTIL_STDIN_ENDS) as it, pytest.raises(EnvironmentRefused, match=r"not ready within 0\.05 s"):
        it.ready_line(0.05)


def test_one_that_says_much_on_stderr_does_not_block() -> None:
    with running("import sys; sys.stderr.write('x' * 1_000_000); print('said', flush=True)") as it:
        assert it.ready_line(60) == "said"


def test_one_that_has_ended_by_itself_is_told_when_looked_at() -> None:
    with running("import sys; sys.stderr.write('lost my way'); sys.exit(7)") as it:
        it.process.wait()
        with pytest.raises(EnvironmentRefused, match=r"exit code 7: lost my way"):
            it.check()


def test_one_whose_stderr_is_ours_is_told_in_a_sentence_of_ours_alone(capfd: pytest.CaptureFixture[str]) -> None:
    with running("import sys; sys.exit('lost my way')", captured=False) as it:
        with pytest.raises(EnvironmentRefused, match=r"^the child ended before it was ready$"):
            it.ready_line(60)
        it.process.wait()
        with pytest.raises(EnvironmentRefused, match=r"^the child ended by itself with exit code 1$"):
            it.check()
    assert capfd.readouterr().err == "lost my way\n"


def test_one_that_runs_passes_the_look() -> None:
    with running(UNTIL_STDIN_ENDS) as it:
        it.check()


def test_it_is_gone_after_the_block_however_that_ends() -> None:
    for raised in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(raised), running(UNTIL_STDIN_ENDS) as it:
            raise raised
        assert it.process.returncode in (0, -signal.SIGTERM)
        assert it.process.stdin.closed
        assert it.process.stdout.closed


def test_one_that_is_deaf_to_being_asked_is_killed() -> None:
    with running(DEAF, grace_seconds=0.05) as it:
        it.ready_line(60)
    assert it.process.returncode == -signal.SIGKILL


def test_an_interruption_while_it_is_being_stopped_kills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = subprocess.Popen.wait

    def interrupted_once(process: Any, timeout: float | None = None) -> int:
        monkeypatch.setattr(subprocess.Popen, "wait", wait)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), running(DEAF) as it:  # noqa: PT012 # raised at the block's end
        it.ready_line(60)
        monkeypatch.setattr(subprocess.Popen, "wait", interrupted_once)
    assert it.process.returncode == -signal.SIGKILL


def test_what_it_has_started_ends_with_it() -> None:
    grandchild = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with running(f"{grandchild}; print(p.pid, flush=True); {UNTIL_STDIN_ENDS}") as it:
        it.ready_line(60)
        assert len(alive_in_group(it.process.pid)) == 2
    wait_until(lambda: alive_in_group(it.process.pid) == [], "the group is empty")


def test_a_terminals_interrupt_does_not_reach_it() -> None:
    with running(UNTIL_STDIN_ENDS) as it:
        assert os.getpgid(it.process.pid) != os.getpgid(0)
        assert os.getsid(it.process.pid) == it.process.pid


def test_it_reads_the_end_of_its_stdin_when_we_are_gone() -> None:
    program = (
        "import os, sys\n"
        "from orchestrator.local.children import child\n"
        f"with child('c', [sys.executable, '-c', {UNTIL_STDIN_ENDS!r}], os.environ, captured=True) as it:\n"
        "    print(it.process.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        assert alive_in_group(group) == [group]
        parent.kill()
    wait_until(lambda: alive_in_group(group) == [], "the child is gone")
