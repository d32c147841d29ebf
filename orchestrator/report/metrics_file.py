"""Reads a metrics file, line by line, into its models.

A last line without its newline is torn: the writer died while writing it, so nothing was ever done on the strength of
it. It is left out and told (`torn_line`). Lines of a kind, or events of a name, that only a newer version knows are
left out and counted. Any other damage is an error that names file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import Field, TypeAdapter, ValidationError

from orchestrator.report.units import shortened
from orchestrator.run.lines import Event, Failure, Line, RunLine, SummaryLine
from stepbench.errors import UsageError
from stepbench.samples import Sample

REASON_CHARACTERS = 300
"""Of a reason, which may repeat what stands in the file."""

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
            elif event.event == "dispatching":
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
    line, or has an unreadable line before its last.
    """
    with _opened(path) as stream:
        lines = _whole_lines(stream)
        run = _run_line(path, next(lines, b""))
        gathered = _Gathered()
        for number, text in enumerate(lines, start=2):
            gathered.add(_checked(path, number, text, run.run_id))
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
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name a metrics file in it, such as {path / 'metrics-RUN_ID.jsonl'}")
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Every line that has its newline; leaves `stream` at the end of the last of them."""
    end = 0
    while (text := stream.readline()).endswith(b"\n"):
        end += len(text)
        yield text
    stream.seek(end)


def _run_line(path: Path, text: bytes) -> RunLine:
    if not text and path.stat().st_size == 0:
        raise MetricsFileDamaged(f"{path} is empty: its run died before it began, or it is no metrics file")
    if not text:
        raise MetricsFileDamaged(f"{path} holds nothing but a torn first line: its run died before it began")
    try:
        run = LINE.validate_json(text)
    except ValidationError as error:
        raise MetricsFileDamaged(f"{path} line 1 is no run line, so this is no metrics file ({_why(error)})") from error
    if not isinstance(run, RunLine):
        raise MetricsFileDamaged(f"{path} does not begin with a run line but with one of kind {run.kind!r}")
    return run


def _checked(path: Path, number: int, text: bytes, run_id: str) -> Line | None:
    try:
        line = parse(text)
    except ValidationError as error:
        raise MetricsFileDamaged(f"{path} line {number} is damaged: {_why(error)}") from error
    if isinstance(line, RunLine):
        raise MetricsFileDamaged(f"{path} line {number} is a second run line; a metrics file holds one run")
    if isinstance(line, Sample | Failure) and line.run_id != run_id:
        raise MetricsFileDamaged(f"{path} line {number} belongs to run {line.run_id}, the file to run {run_id}")
    return line


def _is_newer(problem: str, location: tuple[int | str, ...]) -> bool:
    return problem == "union_tag_invalid" or (problem == "literal_error" and location == ("event", "event"))


def _why(error: ValidationError) -> str:
    """The first problem in words; a line can have a hundred that all come of the same cause."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return shortened(f"{where}: {problem['msg']}" if where else str(problem["msg"]), REASON_CHARACTERS)
