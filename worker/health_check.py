"""What a worker writes into HEALTH_FILE, and the look at it that a container's health check takes.

Nothing but the standard library: it may be called every few seconds, on cores where steps are being measured.

The file tells when it was written by the machine's monotonic clock, which all processes of a machine (and of a
container) share and which nobody can set. Its age is therefore right whatever happens to the wall clock, and time in
which the machine was suspended does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns

FLAG = "--check-health"
HEALTHY_SECONDS = 30.0
"""A worker that has not written for so long is stuck or gone."""
MOST_BYTES = 64_000
EXIT_HEALTHY = 0
EXIT_UNHEALTHY = 1


def write(path: Path, stuck: Sequence[str], now_ns: int) -> None:
    """In one go: whoever reads it meanwhile finds the one before. Raises OSError."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.write_text(json.dumps({"written_at_ns": now_ns, "stuck": list(stuck)}))
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def ailment(path: Path, now_ns: int) -> str | None:
    """Why the worker that writes `path` is not healthy, in a sentence; None if it is."""
    try:
        told = json.loads(_text(path))
        age_seconds, stuck = (now_ns - int(told["written_at_ns"])) / 1e9, ", ".join(told["stuck"])
    except FileNotFoundError:
        return f"{path} is not there: the worker is starting, has ended, or has another HEALTH_FILE"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    except (ValueError, TypeError, KeyError):
        return f"{path} was not written by a worker; HEALTH_FILE names the file"
    if age_seconds < 0:
        return f"{path} was written before this machine was started"
    if age_seconds > HEALTHY_SECONDS:
        return f"the worker is stuck or gone: it has written {path} no more for {age_seconds:.0f} s"
    return f"the worker's {stuck} is stuck" if stuck else None


def _text(path: Path) -> str:
    """Of a file of any kind: one that is no worker's must not keep the check, nor fill its memory."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(fd, MOST_BYTES).decode()
    finally:
        os.close(fd)


def look(path: Path) -> tuple[str, int]:
    """How the worker that writes `path` is, in a sentence, and the exit code that says so."""
    ill = ailment(path, monotonic_ns())
    return (ill, EXIT_UNHEALTHY) if ill else ("the worker is healthy", EXIT_HEALTHY)


def asked_for_alone(arguments: Sequence[str]) -> Path | None:
    """The file, where the arguments are the flag and the file: no settings are needed to look."""
    match arguments:
        case [flag, path] if flag == FLAG:
            return Path(path)
        case [flag] if flag.startswith(f"{FLAG}="):
            return Path(flag.partition("=")[2])
    return None
