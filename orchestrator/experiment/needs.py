"""What a comparison needs beside the program's own dependencies."""

from __future__ import annotations

from importlib.util import find_spec

from stepbench.errors import UsageError


def check() -> None:
    """Raises UsageError, with the command that installs it, for what is missing."""
    if find_spec("numpy") is None:
        raise UsageError("compare needs the package numpy, which is not installed: pip install 'stepbench[compare]'")
