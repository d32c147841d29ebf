"""Reads a metrics file, line by line, into its models.

A last line without its newline is torn: the writer died while writing it, so nothing was ever done on the strength of
it. It is left out and told (`torn_line`). Lines of a kind, or events of a name, that only a newer version knows are
left out and counted. Any other damage is an error that names file and line, and so is a line that those before it
contradict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import Field, TypeAdapter, ValidationError

from orchestrator.report.line_checks import LineChecks, contradiction_in
from orchestrator.report.units import one_line, shortened
from orchestrator.run.lines import Event, Failure, Line, RunLine, SummaryLine
from orchestrator.run.plan import RUN_ID
from stepbench.errors import UsageError
from stepbench.samples import Sample

REASON_CHARACTERS = 300
"""Of a reason, which may repeat what stands in the file."""

MOST_LINE_BYTES = 16 * 1024 * 1024
"""A completion has at most 1 MiB, and a line is about one of them."""
VERSION = 1
MEND = "name another metrics file, or put back what it was before it was edited"

LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


class MetricsFileDamaged(UsageError):
    """A file is no metrics file, or a line of it other than a torn last one cannot be read; names file and line."""


@dataclass(frozen=True, slots=True)
class MetricsFile:
    """All that a metrics file holds, in its own order within each kind."""

    path: Path
    run: RunLine
    samples: tuple[Sample, ...]
    warmups: tuple[Sample, ...]
    failures: tuple[Failure, ...]
    events: tuple[Event, ...]
    summary: SummaryLine | None
    """None: the run is going on, was interrupted or died."""
    torn_line: bool
    whole_bytes: int
    """Length of the file up to the end of its last whole line."""
    unknown_lines: int
    """Lines that only a newer version of this program understands."""
    lines: tuple[Line, ...]
    """All of them but the first, in the order in which they were written."""

    @property
    def ends(self) -> dict[int, Event]:
        """How each measured chain has ended; a failed one that is tried again has not."""
        ends: dict[int, Event] = {}
        for event in self.events:
            if event.chain is None or event.chain < 0:
                continue
            if event.event == "chain_finished":
                ends[event.chain] = event
            elif event.event in ("dispatching", "reopened"):
                ends.pop(event.chain, None)
        return ends


@dataclass(slots=True)
class _Gathered:
    lines: list[Line] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    warmups: list[Sample] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    summary: SummaryLine | None = None
    unknown_lines: int = 0

    def add(self, line: Line | None) -> None:
        if line is None:
            self.unknown_lines += 1
            return
        self.lines.append(line)
        # What comes after a summary is of a run that goes on: failed chains are tried again.
        self.summary = line if isinstance(line, SummaryLine) else None
        if isinstance(line, Sample):
            (self.samples if line.kind == "sample" else self.warmups).append(line)
        elif isinstance(line, Event):
            self.events.append(line)
        elif isinstance(line, Failure):
            self.failures.append(line)


def parse(line: bytes | str) -> Line | None:
    """One line as its model; None for a kind or an event that only a newer version knows.

    Raises ValidationError (a ValueError) for anything else that does not fit.
    """
    try:
        return LINE.validate_json(line)
    except ValidationError as error:
        if all(_is_newer(problem["type"], problem["loc"]) for problem in error.errors(include_url=False)):
            return None
        raise


def read(path: Path) -> MetricsFile:
    """The whole file, every line validated.

    Raises UsageError where there is no such file, MetricsFileDamaged for one that is empty, does not begin with a run
    line, has the name of another run's, or has an unreadable line before its last.
    """
    with _opened(path) as stream:
        lines = _whole_lines(path, stream)
        reader = Reader(path)
        run = reader.first(next(lines, b""))
        gathered = _Gathered()
        for text in lines:
            gathered.add(reader.next(text))
        whole_bytes = stream.tell()
        stream.seek(0, 2)
        torn = stream.tell() > whole_bytes
    return MetricsFile(
        path=path,
        run=run,
        samples=tuple(gathered.samples),
        warmups=tuple(gathered.warmups),
        failures=tuple(gathered.failures),
        events=tuple(gathered.events),
        summary=gathered.summary,
        torn_line=torn,
        whole_bytes=whole_bytes,
        unknown_lines=gathered.unknown_lines,
        lines=tuple(gathered.lines),
    )


def _opened(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            example = path / "metrics-RUN_ID.jsonl"
            raise UsageError(f"{path} is a directory; name a metrics file in it, such as {example}")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _whole_lines(path: Path, stream: BinaryIO) -> Iterator[bytes]:
    """Every line that has its newline; leaves `stream` at the end of the last of them."""
    end = number = 0
    while (text := stream.readline(MOST_LINE_BYTES)).endswith(b"\n"):
        end += len(text)
        number += 1
        yield text
    if len(text) == MOST_LINE_BYTES:
        raise MetricsFileDamaged(f"{path} line {number + 1} is longer than any line of a metrics file; {MEND}")
    stream.seek(end)


class Reader:
    """Makes lines of texts, one after the other, and holds each against those before it.

    Its methods raise MetricsFileDamaged, which names the file, the line, and what to do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 0
        self._run: RunLine | None = None
        self._checks: LineChecks | None = None

    def first(self, text: bytes) -> RunLine:
        """The run line; `text` is empty where the file has no whole line."""
        self._number = 1
        if not text:
            raise MetricsFileDamaged(f"{self._path} {_nothing_in(self._path)}")
        try:
            run = LINE.validate_json(text)
        except ValidationError as error:
            raise self._damaged(
                _no_run_line(text) or f"is no run line, so this is no metrics file ({_why(error)})"
            ) from error
        if not isinstance(run, RunLine):
            raise self._damaged(f"is no run line but one of kind {run.kind!r}: the file has lost its beginning; {MEND}")
        if _has_name_of_another(self._path, run.run_id):
            raise self._damaged(
                f"is of run {run.run_id}, and the file has another run's name; call it metrics-{run.run_id}.jsonl"
            )
        if (wrong := contradiction_in(run)) is not None:
            raise self._damaged(f"{wrong}; {MEND}")
        self._run, self._checks = run, LineChecks(run.plan)
        return run

    def next(self, text: bytes) -> Line | None:
        """The next line; None for a kind or an event that only a newer version knows."""
        if self._run is None or self._checks is None:
            return self.first(text)
        self._number += 1
        try:
            line = parse(text)
        except ValidationError as error:
            raise self._damaged(f"is damaged: {_why(error)}; {MEND}") from error
        if isinstance(line, RunLine):
            raise self._damaged(f"is a second run line; a metrics file holds one run, so {MEND}")
        if isinstance(line, Sample | Failure) and line.run_id != self._run.run_id:
            raise self._damaged(f"belongs to run {line.run_id}, the file to run {self._run.run_id}; {MEND}")
        if line is not None and (wrong := self._checks.contradiction(line)) is not None:
            raise self._damaged(f"{wrong}; {MEND}")
        return line

    def _damaged(self, sentence: str) -> MetricsFileDamaged:
        return MetricsFileDamaged(f"{self._path} line {self._number} {one_line(sentence)}")


def _has_name_of_another(path: Path, run_id: str) -> bool:
    """A file may be called anything, but not as another run's is."""
    named = re.fullmatch(rf"metrics-({RUN_ID})\.jsonl", path.name)
    return named is not None and named[1] != run_id


def _nothing_in(path: Path) -> str:
    if path.stat().st_size == 0:
        return "is empty: its run died before it began, or it is no metrics file; start the run again"
    return "holds nothing but a torn first line: its run died before it began; start it again"


def _no_run_line(text: bytes) -> str | None:
    """What to say of a run line that is of another version; null for anything else."""
    try:
        given = json.loads(text.decode())
        version = given["v"] if given["kind"] == "run" else VERSION
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    if version == VERSION or type(version) is not int:
        return None
    versions = given.get("versions")
    writer = versions.get("stepbench") if isinstance(versions, dict) else None
    by = f"stepbench {writer}, which" if isinstance(writer, str) else "the version that"
    return shortened(
        f"is of version {version} of the metrics file, and this program reads version {VERSION}; use {by} wrote it",
        REASON_CHARACTERS,
    )


def _is_newer(problem: str, location: tuple[int | str, ...]) -> bool:
    return problem == "union_tag_invalid" or (problem == "literal_error" and location == ("event", "event"))


def _why(error: ValidationError) -> str:
    """The first problem in words; a line can have a hundred that all come of the same cause."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return shortened(f"{where}: {problem['msg']}" if where else str(problem["msg"]), REASON_CHARACTERS)
