"""Follows a run by the copy of its metrics file in S3, as `orchestrator.report.follow` follows the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

from botocore.exceptions import ClientError

from orchestrator.report.follow import Wait
from orchestrator.report.metrics_file import MetricsFileDamaged, parse
from orchestrator.run.lines import Line, SummaryLine
from orchestrator.s3_copy.objects import GONE_CODES, Listing, Objects
from orchestrator.s3_copy.parts import Part, lay
from stepbench.failures import error_code


def follow_copy(objects: Objects, wait: Wait) -> Iterator[tuple[bytes, Line | None]]:
    """Every line of the copy with its model (None: only a newer version knows it), up to the summary line.

    What another orchestrator goes on with comes from where it began, so lines may come that contradict earlier ones.
    `wait` is called whenever there is nothing new. Raises MetricsFileDamaged, CopyDamaged and the SDK's errors.
    """
    for text in _texts(objects, wait):
        try:
            line = parse(text)
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise MetricsFileDamaged(f"the copy in {objects.place} has a line that is none: {reason}") from error
        yield text, line
        if isinstance(line, SummaryLine):
            return


def _texts(objects: Objects, wait: Wait) -> Iterator[bytes]:
    mirror = _Mirror(objects)
    while True:
        found = False
        for line in mirror.news():
            found = True
            yield line
        if not found:
            wait()


class _Mirror:
    """What of the copy has been read."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 # gone with the one who reads from it
        self._laid: set[Part] = set()
        self._whole_bytes: int | None = None

    def news(self) -> Iterator[bytes]:
        """Lines that are new, or stand in the place of others."""
        listing = self._objects.listing()
        try:
            if listing.whole_bytes not in (None, self._whole_bytes):
                yield from self._after(lay(self._file, 0, self._objects.read(self._objects.names.whole)))
                self._whole_bytes = listing.whole_bytes
            if listing.parts and not self._laid.issubset(listing.parts):
                yield from self._anew(listing)
            for part in listing.parts:
                if part not in self._laid:
                    data = self._objects.part(part)
                    yield from self._after(lay(self._file, part.offset, data, f"the copy in {self._objects.place}"))
                    self._laid.add(part)
        except ClientError as error:
            if error_code(error) not in GONE_CODES:  # removed since it was listed: then the whole file is there
                raise

    def _anew(self, listing: Listing) -> Iterator[bytes]:
        """The newest orchestrator does not go on from what was read: from the first line on that it has otherwise."""
        before, self._file = self._file, TemporaryFile()  # noqa: SIM115 # as above
        self._objects.compose(listing, self._file)
        self._laid = set(listing.parts)
        before.seek(0)
        self._file.seek(0)
        same_bytes = 0
        while (line := before.readline()) and line == self._file.readline():
            same_bytes += len(line)
        yield from self._after(same_bytes)

    def _after(self, begin: int) -> Iterator[bytes]:
        self._file.seek(begin)
        yield from self._file.read().splitlines(keepends=True)
