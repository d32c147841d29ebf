"""Writes files whole or not at all: beside their places first, then renamed into them, and over none but our own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from stepbench.errors import EnvironmentRefused, UsageError
from stepbench.names import shown

BESIDE = ".stepbench-"
"""How the name of an unfinished file begins: with the file's own name it might become too long."""
FORCE = "--force"
MEASURED = (b'{"kind":"run",', b'{"kind":"experiment",')
"""How metrics files and manifests of experiments begin: no flag has them written over."""
LOOKED_AT_BYTES = 65_536
"""Of a file's beginning, and of its end."""


def check(flag: str, path: Path, sources: Iterable[Path]) -> None:
    """Raises UsageError where `path` is no place for a file, or one of the metrics files that it is made from."""
    try:
        _check(flag, path, sources)
    except OSError as error:
        raise UsageError(f"{flag}: cannot write {shown(path)}: {error.strerror}; name another file") from error


def _check(flag: str, path: Path, sources: Iterable[Path]) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"{flag}: there is no folder {shown(path.parent)}; make it, or name another file")
    if path.is_symlink() and not path.exists():
        raise UsageError(f"{flag}: {shown(path)} is a link to a file that is not there; name another file")
    if not path.exists():
        return
    if any(path.samefile(source) for source in sources):
        raise UsageError(f"{flag}: {shown(path)} is a metrics file that this is made from; name another file")
    if not path.is_file():
        raise UsageError(f"{flag}: {shown(path)} is no regular file; name another one")
    with path.open("rb") as stream:
        if stream.read(LOOKED_AT_BYTES).startswith(MEASURED):
            raise UsageError(f"{flag}: {shown(path)} holds what was measured; name another file")


def check_is_earlier(flag: str, path: Path, what: str, is_ours: Callable[[bytes], bool]) -> None:
    """Raises UsageError where `path` is a file that somebody else made: it is of no earlier `what`."""
    if path.exists() and not is_ours(_ends_of(flag, path)):
        raise UsageError(f"{flag}: {shown(path)} is not of an earlier {what}; name another file, or add {FORCE}")


def write(flag: str, path: Path, pieces: Iterable[bytes]) -> None:
    """What is in `pieces` as the file `path`, in place of an earlier one. Raises EnvironmentRefused."""
    try:
        handle, name = tempfile.mkstemp(prefix=BESIDE, dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.writelines(pieces)
            beside.chmod(0o666 & ~_umask())
            beside.replace(path)
        except BaseException:
            beside.unlink()
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
