"""Metrics file → trace: run ▸ chain ▸ step ▸ its waits and its execution ▸ the phases of that."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.statistics import LABELS
from orchestrator.run.lines import Event
from orchestrator.trace import attributes
from orchestrator.trace.clocks import Clock, clock_of
from orchestrator.trace.drawing import Drawing, path_of_chain, track_of_chain
from orchestrator.trace.frames import chains_of
from orchestrator.trace.model import ORCHESTRATOR, RUN, Mark, Path, Span, Trace


def trace_of(file: MetricsFile) -> Trace:
    """Everything that `file` tells, on one time line."""
    clock = clock_of(file)
    chains = chains_of(file, clock)
    drawing = Drawing(file.run.plan, chains)
    for chain in chains:
        drawing.chain(chain)
    drawn = {span.path for span in drawing.spans if span.kind == "chain"}
    marks = [*drawing.marks, *_marks_of_events(file, clock, drawn)]
    above = _run(file, clock, drawing.spans, marks)
    return Trace(
        run_id=file.run.run_id,
        zero_unix_ns=clock.zero_unix_ns,
        label=LABELS[file.run.environment],
        spans=above + drawing.spans,
        marks=marks,
        arrows=drawing.arrows,
        orchestrator=attributes.of_orchestrator(file),
        workers=attributes.of_workers(file),
    )


def _run(file: MetricsFile, clock: Clock, spans: list[Span], marks: list[Mark]) -> list[Span]:
    """The run around all that happened in it, and its first payload."""
    payloads = list(_first_payloads(file, clock))
    ends = [span.end_ns for span in (*spans, *payloads)] + [mark.at_ns for mark in marks]
    run = Span(
        path=RUN,
        name=f"run {file.run.run_id}",
        kind="run",
        track=ORCHESTRATOR,
        begin_ns=0,
        end_ns=max(ends, default=0),
        attributes=attributes.of_run(file.run),
        unfinished=file.summary is None,
    )
    return [run, *payloads]


def _first_payloads(file: MetricsFile, clock: Clock) -> Iterator[Span]:
    for event in file.events:
        at_ns = clock.of_line(event.at)
        if event.event == "first_payload" and event.duration_ns is not None and at_ns is not None:
            bytes_out = event.payload.object_bytes if event.payload else None
            yield Span(
                path=(*RUN, "first payload"),
                name="first payload",
                kind="phase",
                track=ORCHESTRATOR,
                begin_ns=max(0, at_ns - event.duration_ns),
                end_ns=at_ns,
                attributes=attributes.own(bytes=bytes_out),
            )
            return


def _marks_of_events(file: MetricsFile, clock: Clock, known: set[Path]) -> Iterator[Mark]:
    """What only lines tell of, where the time of day of its line says."""
    for line in file.lines:
        if not isinstance(line, Event) or line.event in ("dispatching", "first_payload", "chain_finished"):
            continue
        at_ns = clock.of_line(line.at)
        if at_ns is None:
            continue
        path = RUN if line.chain is None else path_of_chain(line.chain)
        on_run = line.chain is None or path not in known
        yield Mark(
            path=RUN if on_run else path,
            name=line.event,
            track=ORCHESTRATOR if on_run else track_of_chain(line.chain or 0),
            at_ns=at_ns,
            attributes=attributes.own(
                chain=line.chain, step=line.step, attempt=line.attempt, epoch=line.epoch, message=line.message
            ),
        )
