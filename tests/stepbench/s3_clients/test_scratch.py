from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stepbench.s3_clients import _scratch
from stepbench.s3_clients._scratch import PREFIX, scratch_file

HOLDING = """
import sys
from pathlib import Path
from stepbench.s3_clients import _scratch
_scratch.IN_MEMORY = Path(sys.argv[1])
with _scratch.scratch_file(10) as file:
    file.write_bytes(b"x" * 10)
    print(file, flush=True)
    input()
"""


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the one in memory."""
    monkeypatch.setattr(_scratch, "IN_MEMORY", tmp_path / "memory")
    (tmp_path / "memory").mkdir()
    _scratch._sweep.cache_clear()
    return tmp_path / "memory"


def test_a_file_is_in_memory_and_gone_at_the_end_of_its_block(memory: Path) -> None:
    with scratch_file(10) as file:
        file.write_bytes(b"x")
        assert file.is_relative_to(memory)
    assert list(memory.iterdir()) == []


def test_a_file_for_which_memory_has_no_room_is_where_temporary_files_are(memory: Path) -> None:
    with scratch_file(2**60) as file:
        assert not file.is_relative_to(memory)


def test_nobody_else_can_look_into_it(memory: Path) -> None:
    with scratch_file(1) as file:
        assert file.parent.stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(memory: Path) -> None:
    killed, living = (
        subprocess.Popen(
            [sys.executable, "-c", HOLDING, str(memory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    )
    try:
        files = [Path((process.stdout or sys.stdin).readline().strip()) for process in (killed, living)]
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        with scratch_file(1):
            assert [file.exists() for file in files] == [False, True]
            assert len(list(memory.glob(f"{PREFIX}*"))) == 2
    finally:
        for process in (killed, living):
            process.kill()
            process.communicate()
