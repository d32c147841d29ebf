"""The folders that a report is written into."""

from __future__ import annotations

from pathlib import Path

from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.names import shown


def make_folder(flag: str, path: Path) -> None:
    """`path` as a folder. Raises UsageError where it is something else, EnvironmentRefused where it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UsageError(f"{flag}: {shown(path)} is no folder; name one") from error
    except OSError as error:
        raise EnvironmentRefused(f"{flag}: cannot make {shown(path)}: {error.strerror}; name another place") from error


def is_folder(path: Path) -> bool:
    """False also for what cannot be looked at, which is told where something is to be written there."""
    try:
        return path.is_dir()
    except OSError:
        return False
