"""The copy brought to this machine: as a new metrics file, or into one that is behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.s3_copy.objects import Listing, Objects
from orchestrator.s3_copy.parts import Names
from orchestrator.upkeep.shapes import KeyShape, begun_or_none
from stepbench.errors import UsageError

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
    """Makes `path` from the copy, and nothing in place of a file that is there; false where S3 has no copy.

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
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}; --metrics-dir (METRICS_DIR) names its folder"
        ) from error
    return True


def catch_up(objects: Objects, listing: Listing, file: MetricsFile, epoch: int) -> bool:
    """Appends to a metrics file that nobody else writes what only the copy has; false where it has nothing.

    `epoch` is the newest that the file knows. Raises UsageError where each has lines that the other has not.
    """
    copied = listing.copied_bytes
    is_ours = listing.whole_bytes is None and listing.epoch <= epoch
    if listing.empty or (is_ours and (copied is None or copied <= file.whole_bytes)):
        return False
    with _composed(objects, listing, file.path.parent) as copy, file.path.open("r+b") as ours:
        if not _same(ours, copy, min(file.whole_bytes, copy.seek(0, os.SEEK_END))):
            raise UsageError(
                f"run {file.run.run_id} was gone on with elsewhere, after {file.path}: the copy in {objects.place} has "
                "lines that the file has not, and the file has lines of its own; move the file elsewhere, and resume "
                "fetches the copy"
            )
        ours.seek(file.whole_bytes)
        copy.seek(file.whole_bytes)
        rest = copy.read()
        if rest:
            ours.write(rest)
            ours.truncate()
        return bool(rest)


def _same(one: IO[bytes], other: IO[bytes], length: int) -> bool:
    """Whether both begin with the same `length` bytes."""
    one.seek(0)
    other.seek(0)
    pieces = (min(PIECE_BYTES, length - begin) for begin in range(0, length, PIECE_BYTES))
    return all(one.read(size) == other.read(size) for size in pieces)


@contextmanager
def _composed(objects: Objects, listing: Listing, folder: Path) -> Iterator[IO[bytes]]:
    """The copy as a file that is gone after the block, but for other names that it was given."""
    with NamedTemporaryFile(dir=folder, prefix=".copy-") as file:
        objects.compose(listing, file.file)
        yield file.file
