"""PAYLOAD_FILE: the user's own data in place of generated records.

With SERIALIZER=raw it is any file, taken as it is. Otherwise it is one of the formats in `stepbench.file_formats`, told
by its ending, and becomes records.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stepbench import names, registry
from stepbench.errors import PayloadDamaged, PayloadRefused, UsageError
from stepbench.rows import Rows
from stepbench.settings import named

RECORDS_MEMORY_MULTIPLE = 20.0
"""What is measured, of the file's size: json about 5, jsonl 8, csv of many short fields 19.

Every record is a dict of its own, so that files of very short records take more, and so do compact Parquet files.
"""

FORMATS = "stepbench.file_formats"
NAME = named("payload_file")


def problems(path: Path, serializer: str) -> list[str]:
    """What is wrong with `path` that can be told without reading it, as sentences; empty if nothing is."""
    if not names.is_text(path):
        return [f"{NAME}: {names.shown(path)} has bytes in its name that are no line of UTF-8 text; rename or link it"]
    try:
        exists = path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        return [f"{NAME}: {path} cannot be read: {error.strerror}"]
    if not exists:
        return [f"{NAME}: {path} does not exist; give the path of an existing file"]
    if not path.is_file():
        return [f"{NAME}: {path} is no regular file; give the path of one"]
    found = []
    if not path.stat().st_size:
        found.append(f"{NAME}: {path} is empty; give a file with at least one record, or one byte for raw")
    if not os.access(path, os.R_OK):
        found.append(f"{NAME}: {path} may not be read; allow this user to read it")
    if serializer != "raw" and _ending(path) not in registry.choices(FORMATS):
        endings = ", ".join(f".{name}" for name in registry.choices(FORMATS))
        found.append(
            f"{NAME}: {path} has none of the endings {endings}; convert it, or choose --serializer raw (SERIALIZER)"
        )
    return found


def memory_multiple(serializer: str) -> float:
    """Peak memory of `load`, as a multiple of the file's size."""
    return 1.0 if serializer == "raw" else RECORDS_MEMORY_MULTIPLE


def load(path: Path, serializer: str) -> Rows | bytes:
    """The records of the file, at least one; with serializer `raw` its bytes.

    Raises UsageError for what `problems` tells, PayloadRefused for content that cannot be read exactly, in one sentence
    that names the line or the column, and what to do; `naming` puts the setting and the file before it.
    """
    wrong = problems(path, serializer)
    if wrong:
        raise UsageError(wrong)
    if serializer == "raw":
        return path.read_bytes()
    records: Rows = registry.load(FORMATS, _ending(path)).read(path)
    if not records:
        raise PayloadRefused("it holds no records; give a file with at least one")
    return records


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the setting and the file before what is refused inside, for records that come from `path`.

    For loading them, and for turning them into a table and encoding them, which refuse what they cannot carry.
    """
    try:
        yield
    except (PayloadRefused, PayloadDamaged) as error:
        raise PayloadRefused(f"{NAME}: {path}: {error}") from error
    except OSError as error:
        raise PayloadRefused(f"{NAME}: {path} cannot be read: {error.strerror or error}") from error


def _ending(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()
