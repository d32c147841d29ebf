"""What one run says about its case: one number for each quantity, from the samples that count.

A number is the median over the run's samples. The statistics of an experiment are over these, one per round.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from orchestrator.report.audit import parts_of_wall
from orchestrator.report.counts import count
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import in_statistics, run_wall_ns
from orchestrator.report.summary import PARTS
from stepbench.samples import Frozen, Sample


class RunFigures(Frozen):
    """Medians over the samples in the statistics; null where no sample tells."""

    samples: int
    cold_only: bool
    step_ns: float
    parts_ns: dict[str, float]
    """By the names of `report.summary.PARTS`."""
    bytes_out: float
    cpu_ns: float
    """CPU time of the executor's process in one step's phases."""
    peak_rss_bytes: float | None
    steps_per_second: float | None
    retries: int
    throttled: int


def of(file: MetricsFile) -> RunFigures | None:
    """Null for a run without a sample that counts."""
    used, cold_only = in_statistics(file.samples)
    if not used:
        return None
    wall_ns = run_wall_ns([file])
    counts = count([file], list(file.samples), used)
    return RunFigures(
        samples=len(used),
        cold_only=cold_only,
        step_ns=median(sample.total_ns for sample in used if sample.total_ns is not None),
        parts_ns=_parts(used),
        bytes_out=median(sample.bytes_out for sample in used),
        cpu_ns=median(sum(sample.cpu_ns.values()) for sample in used),
        peak_rss_bytes=_median(sample.peak_rss_bytes for sample in used),
        steps_per_second=len(file.samples) / wall_ns * 1e9 if wall_ns else None,
        retries=counts.retries,
        throttled=_throttled(file),
    )


def _parts(used: list[Sample]) -> dict[str, float]:
    walls = [parts_of_wall(sample) for sample in used]
    found = {name: _median(wall.get(name) for wall in walls) for name in PARTS}
    return {name: value for name, value in found.items() if value is not None}


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known else None


def _throttled(file: MetricsFile) -> int:
    answers = sum(sample.sqs_throttled for sample in file.samples)
    statuses = [found for sample in file.samples for found in (sample.s3.get.statuses, sample.s3.put.statuses) if found]
    return answers + sum(found.get("503", 0) + found.get("429", 0) for found in statuses)
