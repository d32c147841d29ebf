from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

AT_WORK = "while True: sum(range(1000))"
ASLEEP = "time.sleep(600)"


@contextmanager
def started(program: str) -> Iterator[subprocess.Popen[bytes]]:
    whole = f"import time; from stepbench.parent import leave_with_parent\n{program}"
    with subprocess.Popen([sys.executable, "-c", whole], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize("work", [AT_WORK, ASLEEP])
def test_a_process_leaves_with_its_parent_whatever_it_does(work: str) -> None:
    with started(f"leave_with_parent()\n{work}") as child:
        assert child.communicate(b"whatever", timeout=60)[0] == b""
        assert child.returncode == 0


def test_lines_that_come_before_that_are_heard() -> None:
    program = "import os; leave_with_parent(lambda line: os.write(1, line)); time.sleep(600)"
    with started(program) as child:
        assert child.communicate(b"one\ntwo\n", timeout=60)[0] == b"one\ntwo\n"


def test_a_process_that_ends_by_itself_is_not_held_up() -> None:
    with started("leave_with_parent()") as child:
        assert child.wait(60) == 0
