"""The metrics file as it is written: one line per dispatch, sample, failure and event, before anything follows from it.

What `write` was given is in the kernel's hands when it returns: it survives the death of this process at any
instruction. It survives a power cut where METRICS_FSYNC has it written through to the disk.

Whoever writes a file holds the kernel's lock on it, which ends with its process however that dies: a run has one
orchestrator at a time.
"""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from orchestrator.run.lines import Line, RunLine
from orchestrator.run.plan import Plan
from stepbench import configuration, machine
from stepbench.errors import FileRefused, UsageError
from stepbench.samples import Frozen
from stepbench.settings import Settings, named

PIECE_BYTES = 1_000_000

log = structlog.get_logger()


def now_text() -> str:
    """The wall clock, for people: no figure is made of it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def path_of(metrics_dir: Path, run_id: str) -> Path:
    return metrics_dir / f"metrics-{run_id}.jsonl"


def begin(path: Path, plan: Plan, settings: Settings, sqs_round_trips_ns: tuple[int, ...] = ()) -> Journal:
    """A new metrics file with its first line; its folder is made if it is not there.

    Raises UsageError, or FileRefused where not even that line finds room; then no file is left.
    """
    make_folder(path.parent)
    journal = Journal(path, through=settings.metrics_fsync)
    line = RunLine(
        run_id=plan.run_id,
        started_at=now_text(),
        environment=plan.environment,
        plan=plan,
        settings=configuration.in_force(settings),
        versions=machine.versions(),
        machine=machine.facts(),
        sqs_round_trips_ns=sqs_round_trips_ns,
    )
    try:
        journal.write([line])
    except BaseException:
        path.unlink()  # a file without its first line is no metrics file, and no run stands behind it
        raise
    return journal


def make_folder(folder: Path) -> None:
    """That it can be written is a rule of `stepbench.configuration`; here things may have changed since."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{named('metrics_dir')}: cannot make {folder}: {error.strerror}; name a folder that can be written"
        ) from error


def _write_all(fd: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(fd, data[written:])


def _write_through(folder: Path) -> None:
    """A file that reached the disk is not found there while its name has not."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Journal:
    """A metrics file that only grows."""

    busy = (
        "is being written by another process: its run is still going on; python -m orchestrator tail {path} follows it"
    )

    def __init__(self, path: Path, *, again: bool = False, through: bool = False) -> None:
        """Begins a new file, or takes one up `again`. `through`: each write reaches the disk before it returns.

        Raises UsageError where that cannot be, or while another process writes the file.
        """
        self.path = path
        self.whole_bytes = 0
        """So far nothing will be taken back; other threads may read that much. 0 in a file that is not `cut` yet."""
        self._through = through
        create = 0 if again else os.O_CREAT | os.O_EXCL
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | create, 0o644)
        except OSError as error:
            if again:
                raise UsageError(
                    f"cannot write {path}: {error.strerror}; name a metrics file that can be written"
                ) from error
            raise UsageError(
                f"--metrics-dir (METRICS_DIR): cannot write {path}: {error.strerror}; name a folder that can be written"
            ) from error
        self._lock(self._fd)
        if through:
            _write_through(path.parent)

    def _lock(self, fd: int) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise UsageError(f"{self.path} {self.busy.format(path=shlex.quote(str(self.path)))}") from None

    def cut(self, whole_bytes: int, *, through: bool = False) -> None:
        """Take away what a death in the middle of a write left behind the last whole line; then lines may follow.

        `through`: from here on as in a new file. What is there reaches the disk before anything follows from it: it may
        have just been fetched, or been written without. Raises FileRefused when the disk refuses.
        """
        try:
            os.ftruncate(self._fd, whole_bytes)
            if through:
                os.fsync(self._fd)
                _write_through(self.path.parent)
        except OSError as error:
            raise self._refusal(error) from error
        self._through = through
        self.whole_bytes = whole_bytes

    def write(self, lines: Sequence[Line]) -> None:
        """As `append`, of what a metrics file holds."""
        self.append(lines)

    def append(self, lines: Sequence[Frozen]) -> None:
        """Append lines, all or none. Raises FileRefused when the disk refuses, with what is there kept."""
        if not lines:
            return
        self._stay_in_place()
        data = b"".join(line.model_dump_json().encode() + b"\n" for line in lines)
        begin = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            _write_all(self._fd, data)
            if self._through:
                os.fsync(self._fd)
        except BaseException as error:
            # Ctrl-C between two pieces too: what is written next would otherwise follow half a line.
            os.ftruncate(self._fd, begin)
            if not isinstance(error, OSError):
                raise
            raise self._refusal(error) from error
        self.whole_bytes = begin + len(data)

    def _refusal(self, error: OSError) -> FileRefused:
        return FileRefused(f"cannot write to {self.path}: {error.strerror}; make room there")

    def _stay_in_place(self) -> None:
        """What is written to a file that has lost its name, or behind half a line, would be lost."""
        try:
            now, ours = self.path.stat(), os.fstat(self._fd)
        except OSError:
            self._restore()
            return
        if (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino):
            raise FileRefused(
                f"{self.path} is another file than the one that this run has written so far; move it elsewhere"
            )
        if now.st_size < self.whole_bytes:
            raise FileRefused(
                f"{self.path} was cut short by another program: {now.st_size} bytes are left of {self.whole_bytes}"
            )

    def _restore(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                self._lock(fd)
                for offset in range(0, os.fstat(self._fd).st_size, PIECE_BYTES):
                    _write_all(fd, os.pread(self._fd, PIECE_BYTES, offset))
                if self._through:
                    _write_through(self.path.parent)
            except BaseException:
                self.path.unlink()
                raise
        except OSError as error:
            raise FileRefused(
                f"{self.path} was removed while its run went on, and cannot be written again: {error.strerror}"
            ) from error
        log.warning("the metrics file was removed while its run went on, and is written again", path=str(self.path))
        os.dup2(fd, self._fd)
        os.close(fd)

    def close(self) -> None:
        """Lets go of the file and its lock; once more does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
