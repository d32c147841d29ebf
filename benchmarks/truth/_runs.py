"""Ordinary runs of the program, and the lines of their metrics files as they stand there."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks._stack import ended_well, running, scratch, surroundings
from orchestrator.local.stack import Stack

Line = Mapping[str, Any]
Lines = Sequence[Line]


def lines_of_run(stack: Stack | None, *flags: str) -> Lines:
    """What `python -m orchestrator start` wrote: on this stack, or on one of its own. Raises ProgramFailed."""
    with scratch() as folder:
        command = [sys.executable, "-P", "-m", "orchestrator", "start", "--quiet", f"--metrics-dir={folder}", *flags]
        # Its metrics file is not copied to S3 while it runs.
        command += ["--metrics-sync-seconds=0"]
        with (
            (folder / "stderr").open("wb") as log,
            running(command, surroundings(stack), folder=folder, stderr=log) as process,
        ):
            ended_well(process, "the orchestrator", folder / "stderr")
        [file] = folder.glob("metrics-*.jsonl")
        return [json.loads(line) for line in file.read_bytes().splitlines()]


def samples(lines: Lines) -> Lines:
    return [line for line in lines if line["kind"] == "sample"]
