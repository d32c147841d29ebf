"""Reads `experiment.jsonl`, which tells what an experiment is to run and how each of its runs ended.

A last line without its newline is torn, and left out. Lines of a kind that only a newer version knows are
left out and counted. Any other damage is an error that names file and line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from orchestrator.experiment.lines import EARLY_ENDS, ExperimentEvent, ExperimentLine, ManifestLine, RunEnd
from orchestrator.report.units import one_line, shortened
from stepbench.errors import UsageError

NAME = "experiment.jsonl"
FOLDER_PREFIX = "experiment-"
REASON_CHARACTERS = 300
LINE: TypeAdapter[ManifestLine] = TypeAdapter(Annotated[ManifestLine, Field(discriminator="kind")])


@dataclass(frozen=True)
class Manifest:
    """All that the file holds."""

    path: Path
    plan: ExperimentLine
    lines: tuple[ManifestLine, ...]
    """All but the first, in the order in which they were written."""
    whole_bytes: int
    torn_line: bool
    unknown_lines: int

    @property
    def ends(self) -> list[RunEnd]:
        return [line for line in self.lines if isinstance(line, RunEnd)]

    @property
    def finished(self) -> bool:
        """Nothing is left to run."""
        events = [line.event for line in self.lines if isinstance(line, ExperimentEvent)]
        return bool(events) and events[-1] in {"finished", *EARLY_ENDS}


def read(path: Path) -> Manifest:
    """Raises UsageError for what is no manifest, with the line and what to do."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    *texts, torn = data.split(b"\n")
    lines = [_parsed(path, number, text) for number, text in enumerate(texts, 1)]
    if not lines or not isinstance(lines[0], ExperimentLine):
        raise UsageError(f"{path} does not begin with the plan of an experiment; name the folder of another one")
    known = [line for line in lines[1:] if line is not None]
    _check(path, lines[0], known)
    return Manifest(
        path, lines[0], tuple(known), len(data) - len(torn), torn_line=bool(torn), unknown_lines=lines.count(None)
    )


def _parsed(path: Path, number: int, text: bytes) -> ManifestLine | None:
    try:
        return LINE.validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        if number > 1 and all(
            problem["type"] == "union_tag_invalid" or problem["loc"] == ("event", "event") for problem in problems
        ):
            return None
        where = ".".join(str(part) for part in problems[0]["loc"])
        reason = shortened(f"{where}: {problems[0]['msg']}", REASON_CHARACTERS)
        raise UsageError(
            f"{path} line {number} is damaged: {one_line(reason)}; put back what it was, or name another experiment"
        ) from error


def _check(path: Path, plan: ExperimentLine, lines: Sequence[ManifestLine]) -> None:
    names = {case.name for case in plan.cases}
    if len(names) != len(plan.cases) or plan.baseline not in names:
        raise UsageError(f"{path} line 1 is damaged: its cases have no names of their own, or its baseline is none")
    for number, line in enumerate(lines, 2):
        if isinstance(line, ExperimentLine):
            raise UsageError(f"{path} line {number} is a second plan; a manifest holds one experiment")
        if isinstance(line, RunEnd) and line.case not in names:
            raise UsageError(f"{path} line {number} is of the case {line.case!r}, which the plan does not have")
