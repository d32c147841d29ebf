"""Two bytes of memory that an executor and its keeper share: its phase, and whether its step is still wanted.

When an executor is killed there is nobody left to ask, and while it works it reads nothing. The first byte is written
by the executor at the begin of each phase, the second by the keeper. Neither costs a system call, and the first
outlives its writer. The file behind them has no name, so nothing stays behind.
"""

from __future__ import annotations

import mmap
import os
import tempfile

from stepbench.samples import PHASES, Phase

NO_PHASE = 0xFF
WANTED, DISOWNED = 0, 1


class PhaseBoard:
    """Made by the keeper, opened by the executor through the inherited descriptor `fd`."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._memory = mmap.mmap(fd, 2)

    @classmethod
    def create(cls) -> PhaseBoard:
        with tempfile.TemporaryFile(prefix="stepbench-") as file:
            file.write(bytes([NO_PHASE, WANTED]))
            file.flush()
            return cls(os.dup(file.fileno()))

    def enter(self, phase: Phase | None) -> None:
        self._memory[0] = NO_PHASE if phase is None else PHASES.index(phase)

    def current(self) -> Phase | None:
        index = self._memory[0]
        return None if index == NO_PHASE else PHASES[index]

    def mark(self, *, disowned: bool) -> None:
        """Whether the step that is under way, or is about to begin, may still write."""
        self._memory[1] = DISOWNED if disowned else WANTED

    def is_disowned(self) -> bool:
        return self._memory[1] == DISOWNED

    def close(self) -> None:
        self._memory.close()
        os.close(self.fd)
