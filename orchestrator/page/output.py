"""Where the files of a report may be written: never over one that is none of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.names import shown

FORCE = "--force"
LOOKED_AT_BYTES = 65_536
"""Of a file's beginning, and of its end."""


def check(flag: str, path: Path, is_ours: Callable[[bytes], bool]) -> None:
    """Raises UsageError where `path` is a file that somebody else made."""
    if path.exists() and not is_ours(_ends_of(flag, path)):
        raise UsageError(f"{flag}: {shown(path)} is not of an earlier report; name another file, or add {FORCE}")


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


def _ends_of(flag: str, path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            begin = stream.read(LOOKED_AT_BYTES)
            stream.seek(max(0, path.stat().st_size - LOOKED_AT_BYTES))
            return begin + stream.read()
    except OSError as error:
        raise UsageError(f"{flag}: cannot read {shown(path)}: {error.strerror}; name another file") from error
