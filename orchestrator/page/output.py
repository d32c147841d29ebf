"""Writes what a report consists of: whole or not at all, and never over a file that is none of ours."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.names import shown

FORCE = "--force"
LOOKED_AT_BYTES = 65_536
"""Of a file's beginning, and of its end."""


def check(flag: str, path: Path, is_ours: Callable[[bytes], bool], *, force: bool) -> None:
    """Raises UsageError where `path` is no place for a file of ours, or holds one that somebody else made."""
    if not path.parent.is_dir():
        raise UsageError(f"{flag}: there is no folder {shown(path.parent)}; make it, or name another file")
    if path.is_symlink() and not path.exists():
        raise UsageError(f"{flag}: {shown(path)} is a link to a file that is not there; name another file")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{flag}: {shown(path)} is no regular file; name another one")
    if not force and not is_ours(_ends_of(flag, path)):
        raise UsageError(f"{flag}: {shown(path)} is not of an earlier report; name another file, or add {FORCE}")


def make_folder(flag: str, path: Path) -> None:
    """`path` as a folder. Raises UsageError where it is something else, EnvironmentRefused where it cannot be made."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"{flag}: {shown(path)} is no folder; name one")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentRefused(f"{flag}: cannot make {shown(path)}: {error.strerror}; name another place") from error


def write(flag: str, path: Path, data: bytes) -> None:
    """Beside its place first, then renamed into it. Raises EnvironmentRefused."""
    try:
        handle, name = tempfile.mkstemp(prefix=".stepbench-", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            beside.chmod(0o666 & ~_umask())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EnvironmentRefused(f"{flag}: cannot write {shown(path)}: {error.strerror}; name another place") from error


def _ends_of(flag: str, path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            begin = stream.read(LOOKED_AT_BYTES)
            stream.seek(max(0, path.stat().st_size - LOOKED_AT_BYTES))
            return begin + stream.read()
    except OSError as error:
        raise UsageError(f"{flag}: cannot read {shown(path)}: {error.strerror}; name another file") from error


def _umask() -> int:
    """It can only be read by being set."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
