"""The copy brought to this machine: as a new metrics file, or into one that is behind it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.s3_copy.objects import Listing, Objects
from orchestrator.s3_copy.parts import Names
from orchestrator.upkeep.shapes import KeyShape, begun_or_none
from stepbench.errors import EnvironmentRefused, UsageError

if TYPE_CHECKING:
    from stepbench.aws import Clients
    from stepbench.settings import Settings

PIECE_BYTES = 1_000_000


def copy_of(run_id: str, settings: Settings, clients: Clients) -> Objects | None:
    """To read from: where a run of this id has its copy under the configured prefix; null for what is no run id."""
    if settings.bucket is None or begun_or_none(run_id) is None:
        return None
    return Objects(clients.s3, settings.bucket, Names(KeyShape(settings.prefix).folder(run_id), run_id))


def fetch(objects: Objects, path: Path) -> bool:
    """Makes `path` from the copy; false where S3 has none, or another process has made a file there meanwhile.

    Raises UsageError, CopyDamaged and the SDK's errors.
    """
    listing = objects.listing()
    if listing.empty:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _composed(objects, listing, path.parent) as copy:
            os.fchmod(copy.fileno(), 0o644)
            os.link(copy.name, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}; --metrics-dir (METRICS_DIR) names its folder"
        ) from error
    return True


def catch_up(objects: Objects, listing: Listing, file: MetricsFile, epoch: int) -> bool:
    """Appends to a metrics file that nobody else writes what only the copy has; false where it has nothing.

    `epoch` is the newest that the file knows. Raises UsageError where each has lines that the other has not,
    and EnvironmentRefused where the disk refuses: then the file has nothing of the copy.
    """
    copied = listing.copied_bytes
    is_ours = listing.whole_bytes is None and listing.epoch <= epoch
    if listing.empty or (is_ours and (copied is None or copied <= file.whole_bytes)):
        return False
    with _disk_errors_worded(file.path), _composed(objects, listing, file.path.parent) as copy:
        copy_bytes = copy.seek(0, os.SEEK_END)
        if not _same(file.path, copy, min(file.whole_bytes, copy_bytes)):
            raise UsageError(
                f"run {file.run.run_id} was gone on with elsewhere, after {file.path}: the copy in {objects.place} has "
                "lines that the file has not, and the file has lines of its own; move the file elsewhere, and resume "
                "fetches the copy"
            )
        if copy_bytes <= file.whole_bytes:
            return False
        _append(file.path, file.whole_bytes, copy)
        return True


def _same(path: Path, copy: IO[bytes], length: int) -> bool:
    """Whether both begin with the same `length` bytes."""
    copy.seek(0)
    pieces = (min(PIECE_BYTES, length - begin) for begin in range(0, length, PIECE_BYTES))
    with path.open("rb") as ours:
        return all(ours.read(size) == copy.read(size) for size in pieces)


def _append(path: Path, whole_bytes: int, copy: IO[bytes]) -> None:
    """All that the copy has behind the file's whole lines, or nothing of it."""
    copy.seek(whole_bytes)
    try:
        with path.open("r+b") as ours:
            ours.seek(whole_bytes)
            shutil.copyfileobj(copy, ours)
            ours.truncate()
    except BaseException:
        os.truncate(path, whole_bytes)
        raise


@contextmanager
def _disk_errors_worded(path: Path) -> Iterator[None]:
    try:
        yield
    except (ConnectionError, TimeoutError):  # S3's
        raise
    except OSError as error:
        raise EnvironmentRefused(
            f"cannot bring {path} up to the copy in S3: {error.strerror or error}; its folder needs room for the copy "
            "twice, and the right to write there"
        ) from error


@contextmanager
def _composed(objects: Objects, listing: Listing, folder: Path) -> Iterator[IO[bytes]]:
    """The copy as a file that is gone after the block, but for other names that it was given."""
    with NamedTemporaryFile(dir=folder, prefix=".copy-") as file:
        objects.compose(listing, file.file)
        yield file.file
