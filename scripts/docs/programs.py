"""What the programs say of themselves: their commands, flags and settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from functools import cache

from scripts.docs.tree import ROOT

_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][A-Za-z0-9-]*")
_VARIABLE = re.compile(r"`([A-Z][A-Z0-9_]*)`")
_ANSWER_WITHIN_SECONDS = 60


@cache
def output(*arguments: str) -> str | None:
    """What `python -m ARGUMENTS` prints on stdout; null where it fails. It sees no one's .env."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=elsewhere,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_WITHIN_SECONDS,
        )
    return done.stdout if done.returncode == 0 else None


def flags(*arguments: str) -> set[str] | None:
    """The flags that the help of `python -m ARGUMENTS` names; null where there is no such command."""
    text = output(*arguments, "--help")
    return None if text is None else set(_FLAG.findall(text))


def settings_table() -> str | None:
    """The table of all settings as Markdown; null where the program fails."""
    return output("orchestrator", "settings", "--markdown")


def variables() -> set[str]:
    """Names of the variables in the table of settings."""
    return set(_VARIABLE.findall(settings_table() or ""))
