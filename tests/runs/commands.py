"""Commands that look after a fleet, as a user types them where there is no terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from tests.runs.fleet import Fleet


def orchestrator(fleet: Fleet, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m orchestrator WORDS`, to its end."""
    return _orchestrator(fleet, words, variables, subprocess.PIPE)


def orchestrator_unread(fleet: Fleet, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The same, with a reader of its stdout that has gone before the first word."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return _orchestrator(fleet, words, variables, writing)
    finally:
        os.close(writing)


def _orchestrator(
    fleet: Fleet, words: Sequence[str], variables: dict[str, str], stdout: int
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", *words],
        env=fleet.environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
