"""Writes a file whole or not at all: beside its place first, and then renamed into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.names import shown

BESIDE = ".stepbench-"
"""How the name of an unfinished file begins: with the file's own name it might become too long."""


def check(flag: str, path: Path, source: Path) -> None:
    """Raises UsageError where `path` is no place for a new file, or would replace `source`."""
    try:
        _check(flag, path, source)
    except OSError as error:
        raise UsageError(f"{flag}: cannot write {shown(path)}: {error.strerror}; name another file") from error


def _check(flag: str, path: Path, source: Path) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"{flag}: there is no folder {shown(path.parent)}; make it, or name another file")
    if not path.exists():
        return
    if path.samefile(source):
        raise UsageError(f"{flag}: {shown(path)} is the metrics file itself; name another file")
    if not path.is_file():
        raise UsageError(f"{flag}: {shown(path)} is no regular file; name another one")


def write(path: Path, pieces: Iterable[str]) -> None:
    """The text in `pieces` as the file `path`, in place of an earlier one. Raises EnvironmentRefused."""
    try:
        handle, name = tempfile.mkstemp(prefix=BESIDE, dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.writelines(pieces)
            beside.chmod(0o666 & ~_umask())
            beside.replace(path)
        except BaseException:
            beside.unlink()
            raise
    except OSError as error:
        raise EnvironmentRefused(f"cannot write {shown(path)}: {error.strerror}; name another place") from error


def _umask() -> int:
    """It can only be read by being set."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
