"""Material → flat tables: the one source of CSV, Parquet and JSON, and of the raw data in a page.

A column's name has its unit; durations are whole nanoseconds, as in the metrics files. What is not known is null. Times
of day come from the orchestrator's lines, to a millisecond or so, and are there to put things in order: durations are
never differences of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.page.cases import CaseFigures
from orchestrator.page.material import Material, Run
from orchestrator.report.audit import parts_of_wall
from orchestrator.report.statistics import run_wall_ns
from orchestrator.report.summary import PARTS
from orchestrator.run.lines import Event
from orchestrator.trace.clocks import clock_of, numbered
from stepbench.samples import PHASES, S3Requests, Sample

Value = str | int | float | bool | None
Row = dict[str, Value]
QUIET_EVENTS = ("dispatching", "first_payload", "chain_finished")
"""A file has them by the thousand, and the samples tell the same."""


@dataclass(frozen=True)
class Table:
    """Columns of equal length."""

    name: str
    says: str
    columns: Mapping[str, list[Value]]

    @property
    def length(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def rows(self) -> Iterator[tuple[Value, ...]]:
        yield from zip(*self.columns.values(), strict=True)


def tables_of(material: Material, cases: Sequence[CaseFigures]) -> dict[str, Table]:
    """All tables by name, those without a row among them."""
    made = (
        _table("cases", "one row per case", map(_case, cases), CASE_COLUMNS),
        _table("runs", "one row per metrics file", map(_run, material.runs), RUN_COLUMNS),
        _table("samples", "one row per accepted step, warm-up steps included", _samples(material), SAMPLE_COLUMNS),
        _table("failures", "one row per failed attempt", _failures(material), FAILURE_COLUMNS),
        _table("events", "what else happened: lost, duplicate, resumed ...", _events(material), EVENT_COLUMNS),
    )
    return {table.name: table for table in made}


def _table(name: str, says: str, rows: Iterable[Row], columns: Iterable[str]) -> Table:
    columns, given = tuple(columns), list(rows)
    return Table(name, says, {column: [row[column] for row in given] for column in columns})


CASE_COLUMNS = (
    *("case", "is_baseline", "rounds", "failed_runs", "samples", "step_ns", "step_low_ns", "step_high_ns"),
    *("verdict", "ratio_to_baseline", "ratio_low", "ratio_high", "p", "rank_best", "rank_worst", "bytes_out"),
    *("cpu_ns", "peak_rss_bytes", "steps_per_second", "usd_per_1000_steps", "on_front", "error"),
)


def _case(case: CaseFigures) -> Row:
    compared = case.against_baseline
    interval = compared.interval if compared else None
    is_ratio = compared is not None and compared.scale == "ratio"
    return {
        "case": case.name,
        "is_baseline": case.is_baseline,
        "rounds": case.rounds,
        "failed_runs": case.failed_runs,
        "samples": case.samples,
        "step_ns": case.step_ns,
        "step_low_ns": case.low_ns,
        "step_high_ns": case.high_ns,
        "verdict": compared.verdict if compared else None,
        "ratio_to_baseline": compared.estimate if compared and is_ratio else None,
        "ratio_low": interval.low if interval and is_ratio else None,
        "ratio_high": interval.high if interval and is_ratio else None,
        "p": compared.p if compared else None,
        "rank_best": case.rank_best,
        "rank_worst": case.rank_worst,
        "bytes_out": case.bytes_out,
        "cpu_ns": case.cpu_ns,
        "peak_rss_bytes": case.peak_rss_bytes,
        "steps_per_second": case.steps_per_second,
        "usd_per_1000_steps": case.usd_per_1000_steps,
        "on_front": case.on_front,
        "error": case.error,
    }


RUN_COLUMNS = (
    *("case", "round", "run_id", "in_statistics", "environment", "started_at", "chains", "steps", "concurrency"),
    *("samples", "samples_in_statistics", "failures", "wall_ns", "steps_per_second", "finished", "file"),
)


def _run(run: Run) -> Row:
    file, wall_ns = run.file, run_wall_ns([run.file])
    return {
        "case": run.case,
        "round": run.round,
        "run_id": file.run.run_id,
        "in_statistics": run.counts,
        "environment": file.run.environment,
        "started_at": file.run.started_at,
        "chains": file.run.plan.chains,
        "steps": file.run.plan.steps,
        "concurrency": file.run.plan.concurrency,
        "samples": len(file.samples),
        "samples_in_statistics": len(run.used()),
        "failures": len(file.failures),
        "wall_ns": wall_ns,
        "steps_per_second": len(file.samples) / wall_ns * 1e9 if wall_ns else None,
        "finished": file.summary is not None,
        "file": str(file.path),
    }


AS_THEY_ARE = (
    *("run_id", "chain", "step", "attempt", "epoch", "worker", "executor", "host", "serializer", "compression"),
    *("s3_client", "transform", "cold", "late", "interrupted", "receive_count", "results_receive_count", "records"),
    *("bytes_in", "bytes_out", "serialized_bytes_in", "serialized_bytes_out", "peak_rss_bytes", "sqs_throttled"),
    *("sqs_requests", "total_ns", "dispatch_call_ns"),
)
"""Of a sample. Checksums and URIs stay in the metrics file."""
OF_A_TRANSFER: dict[str, Callable[[S3Requests], Value]] = {
    "requests": lambda made: made.requests,
    "retries": lambda made: made.retries,
    "connections_opened": lambda made: made.connections_opened,
    "statuses": lambda made: _statuses(made.statuses),
}
SAMPLE_COLUMNS = (
    *("case", "round", "kind", "in_statistics", "dispatched_unix_ns", "completed_unix_ns"),
    *AS_THEY_ARE,
    *(f"{part}_ns" for part in PARTS),
    *(f"{phase}_cpu_ns" for phase in PHASES),
    *(f"s3_{way}_{name}" for way in ("get", "put") for name in OF_A_TRANSFER),
)


def _samples(material: Material) -> Iterator[Row]:
    for run in material.runs:
        used = {id(sample) for sample in run.used()}
        clock = clock_of(run.file)
        for incarnation, line in numbered(run.file.lines):
            if isinstance(line, Sample):
                begun_ns = line.dispatched_at_ns
                yield {
                    "case": run.case,
                    "round": run.round,
                    "in_statistics": id(line) in used,
                    "dispatched_unix_ns": None
                    if begun_ns is None
                    else clock.zero_unix_ns + clock.of_stamp(incarnation, begun_ns),
                    "completed_unix_ns": clock.zero_unix_ns + clock.of_stamp(incarnation, line.completed_at_ns),
                    **_of_sample(line),
                }


def _of_sample(sample: Sample) -> Row:
    row: Row = {"kind": sample.kind, **{name: getattr(sample, name) for name in AS_THEY_ARE}}
    wall = parts_of_wall(sample)
    row |= {f"{part}_ns": wall.get(part) for part in PARTS}
    row |= {f"{phase}_cpu_ns": sample.cpu_ns.get(phase) for phase in PHASES}
    for way, made in (("get", sample.s3.get), ("put", sample.s3.put)):
        row |= {f"s3_{way}_{name}": of(made) for name, of in OF_A_TRANSFER.items()}
    return row


def _statuses(statuses: Mapping[str, int] | None) -> str | None:
    """`200 x 7, 503 x 1`."""
    if statuses is None:
        return None
    return ", ".join(f"{status} x {count}" for status, count in sorted(statuses.items()))


FAILURE_COLUMNS = (
    *("case", "round", "run_id", "at", "chain", "step", "attempt", "error_class", "message", "phase", "retryable"),
    "worker",
)


def _failures(material: Material) -> Iterator[Row]:
    for run in material.runs:
        for failure in run.file.failures:
            told = failure.model_dump(include=set(FAILURE_COLUMNS))
            yield {"case": run.case, "round": run.round, **told}


EVENT_COLUMNS = ("case", "round", "run_id", "at", "event", "chain", "step", "attempt", "message")


def _events(material: Material) -> Iterator[Row]:
    for run in material.runs:
        for line in run.file.lines:
            if isinstance(line, Event) and line.event not in QUIET_EVENTS:
                told = line.model_dump(include=set(EVENT_COLUMNS))
                yield {"case": run.case, "round": run.round, "run_id": run.file.run.run_id, **told}
