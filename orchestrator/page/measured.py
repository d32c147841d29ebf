"""What was measured, in one line: without it no figure of the page says anything about a reader's own steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from orchestrator.page.material import Material
from orchestrator.page.shown import size
from orchestrator.report.doubts import plural
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.units import shortened

MOST_VALUES = 5
LONGEST_VALUE = 80
DAY = len("2026-11-29")


def line_of(material: Material) -> str:
    """Empty where nothing has run."""
    files = material.files
    if not files:
        return ""
    return f"Measured {_days(files)} {_place(files)}: {', '.join(_what(material))}."


def _what(material: Material) -> Iterator[str]:
    files = material.files
    plans = [file.run.plan for file in files]
    yield f"payload {_each(p.payload_file or f'{p.payload_mb:g} MB' for p in plans)}"
    yield f"{_each(plural(p.steps, 'step') for p in plans)} x {_each(plural(p.chains, 'chain') for p in plans)} a run"
    yield f"{_each(p.concurrency for p in plans)} in flight"
    noun = "environment" if all(p.lambda_function is not None for p in plans) else "executor"
    if executors := [count for file in files if (count := _executors(file))]:
        yield _each(plural(count, noun) for count in executors)
    yield f"S3 client {_each(sample.s3_client for file in files for sample in file.samples) or plans[0].s3_client}"
    yield plural(len(files), "run")
    if versions := _each(file.run.versions.get("stepbench") for file in files):
        yield f"stepbench {versions}"


def _executors(file: MetricsFile) -> int:
    return len({(sample.worker, sample.executor) for sample in file.samples})


def _days(files: Sequence[MetricsFile]) -> str:
    days = sorted({file.run.started_at[:DAY] for file in files})
    return f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"


def _place(files: Sequence[MetricsFile]) -> str:
    """The orchestrator's machine, on which everything is where the stack is embedded."""
    machines = [file.run.machine for file in files]
    here = all(file.run.environment == "embedded" for file in files)
    told = [
        _each(machine.get("processor") for machine in machines),
        _each(plural(cores, "core") for machine in machines if type(cores := machine.get("cores")) is int),
        _each(size(room) for machine in machines if type(room := machine.get("memory_bytes")) is int),
    ]
    name = _each(machine.get("host") for machine in machines) or "a machine that is not told"
    facts = ", ".join(filter(None, told))
    return f"{'on' if here else 'in AWS, the orchestrator on'} {name}{f' ({facts})' if facts else ''}"


def _each(values: Iterable[Any]) -> str:
    """`2 MB`, `1 MB / 50 MB`, `7 different ones`; empty where none is told."""
    told = list(dict.fromkeys(shortened(str(value), LONGEST_VALUE) for value in values if value is not None))
    return " / ".join(told) if len(told) <= MOST_VALUES else f"{len(told)} different ones"
