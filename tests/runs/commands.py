"""Commands that look after a fleet, as a user types them where there is no terminal."""

from __future__ import annotations

import subprocess
import sys

from tests.runs.fleet import Fleet


def orchestrator(fleet: Fleet, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m orchestrator WORDS`, to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", *words],
        env=fleet.environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
