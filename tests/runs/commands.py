"""Commands that look after a fleet, as a user types them: in a folder, without a terminal, and soon at their end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.runs.fleet import Fleet


def orchestrator(
    fleet: Fleet, *words: str, folder: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`python -m orchestrator WORDS` in `folder`, where its metrics files are below `out/`."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", *words],
        cwd=folder,
        env=fleet.environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
