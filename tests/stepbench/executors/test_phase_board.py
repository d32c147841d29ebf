from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from stepbench.executors.phase_board import PhaseBoard
from stepbench.samples import PHASES

WRITER = """
import os, signal, sys
from stepbench.executors.phase_board import PhaseBoard
board = PhaseBoard(int(sys.argv[1]))
board.enter("download")
board.enter("upload")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_fresh_board_tells_of_no_phase() -> None:
    board = PhaseBoard.create()
    assert board.current() is None
    board.close()


def test_each_phase_and_none_can_be_told() -> None:
    board = PhaseBoard.create()
    told = []
    for phase in (*PHASES, None):
        board.enter(phase)
        told.append(board.current())
    assert told == [*PHASES, None]
    board.close()


def test_a_step_is_wanted_until_it_is_marked_and_the_phase_is_told_beside_that() -> None:
    board = PhaseBoard.create()
    told = [board.is_disowned()]
    for disowned in (True, False):
        board.enter("compress")
        board.mark(disowned=disowned)
        told.append(board.is_disowned())
        assert board.current() == "compress"
    assert told == [False, True, False]
    board.close()


def test_the_phase_outlives_the_process_that_was_in_it() -> None:
    board = PhaseBoard.create()
    writer = subprocess.run([sys.executable, "-c", WRITER, str(board.fd)], pass_fds=(board.fd,), check=False)
    assert writer.returncode < 0
    assert board.current() == "upload"
    board.close()


def test_a_closed_board_leaves_no_descriptor_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    board = PhaseBoard.create()
    assert list(tmp_path.iterdir()) == []
    board.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(board.fd)
