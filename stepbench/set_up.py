"""What is said where a program was started with a Python that has none of the packages: outside `.venv`, mostly.

Stands on Python's standard library alone.
"""

from __future__ import annotations

import sys

EXIT_NOT_SET_UP = 3
OURS = ("orchestrator", "worker", "stepbench")


def sentence(error: ModuleNotFoundError) -> str:
    """What mends it. Raises `error` again for a module of ours: that is a bug."""
    if error.name is None or error.name.partition(".")[0] in OURS:
        raise error
    return (
        f"{sys.executable} has no package {error.name}: in a checkout `make run` sets up .venv with all of them, and "
        "`. .venv/bin/activate` makes its python the one that is meant"
    )
