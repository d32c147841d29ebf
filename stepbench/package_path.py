"""Where our packages are, for the interpreters that we start too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import stepbench

ROOT = str(Path(stepbench.__file__).parents[1])
"""The folder that all three packages are in."""


def with_our_packages(environment: Mapping[str, str]) -> dict[str, str]:
    """Our own packages are found wherever we were started from, and before a `worker.py` of the user's.

    For `python -P`, which does not look into the current folder first.
    """
    paths = [ROOT, *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}
