"""One readable line for each line of a metrics file, for those who watch a run."""

from __future__ import annotations

from orchestrator.report.audit import parts_of_total
from orchestrator.report.doubts import plural
from orchestrator.report.units import duration, one_line
from orchestrator.run.lines import Event, Failure, Line, RunLine, SummaryLine
from stepbench.samples import Sample

LARGEST_PARTS = 3


def narrate(line: Line) -> str:
    """What happened, in one line that begins with the chain and the step it is about."""
    if isinstance(line, RunLine):
        return one_line(_run(line))
    if isinstance(line, Sample):
        return one_line(_sample(line))
    if isinstance(line, Failure):
        return one_line(_failure(line))
    if isinstance(line, SummaryLine):
        return "run finished"
    return one_line(_event(line))


def _run(line: RunLine) -> str:
    plan = line.plan
    return (
        f"run {line.run_id} ({line.environment}): {plural(plan.chains, 'chain')} of {plural(plan.steps, 'step')}, "
        f"{plan.payload_file or f'{plan.payload_mb:g} MB'} {plan.serializer}, compression {plan.compression}"
    )


def _place(line: Sample | Failure | Event) -> str:
    chain = "run" if line.chain is None else f"chain {line.chain}"
    return chain if line.step is None else f"{chain} step {line.step}"


def _sample(line: Sample) -> str:
    flags = [name for name in ("cold", "late", "interrupted") if getattr(line, name)]
    if line.kind == "warmup":
        flags.append("warm-up")
    if line.attempt > 1:
        flags.append(f"attempt {line.attempt}")
    told = f" [{', '.join(flags)}]" if flags else ""
    total = f"in {duration(line.total_ns)}" if line.total_ns is not None else "(no total)"
    retried = f", after {duration(line.retry_ns)} of earlier attempts" if line.retry_ns else ""
    return f"{_place(line)}: done {total}: {_largest_parts(line)}{retried}{told}"


def _largest_parts(line: Sample) -> str:
    parts = [(part or 0, name.replace("_", " ")) for name, part in parts_of_total(line).items()]
    return ", ".join(f"{name} {duration(part)}" for part, name in sorted(parts, reverse=True)[:LARGEST_PARTS])


def _failure(line: Failure) -> str:
    where = f" in {line.phase}" if line.phase else ""
    again = "" if line.retryable else ", not to be retried"
    return f"{_place(line)}: attempt {line.attempt} failed{where}{again}: {line.error_class}: {line.message}"


def _event(line: Event) -> str:
    place = _place(line)
    if line.event == "dispatching":
        again = f", attempt {line.attempt}" if (line.attempt or 1) > 1 else ""
        return f"{place}: dispatched{again}"
    if line.event == "chain_finished":
        wall = f" in {duration(line.wall_ns)}" if line.wall_ns is not None else ""
        return f"{place}: {'finished' if line.ok else 'FAILED'}{wall}"
    if line.event == "first_payload":
        took = f" in {duration(line.duration_ns)}" if line.duration_ns is not None else ""
        return f"{place}: first payload written{took}"
    return f"{place}: {line.message or _HAPPENED[line.event]}"


_HAPPENED = {
    "duplicate": "duplicate completion, not counted",
    "lost": "given up as lost",
    "expired": "expired message deleted",
    "foreign": "message that is none of this run's completions",
    "resumed": "resumed",
    "interrupted": "interrupted",
    "reopened": "given a new set of attempts",
    "closing": "all chains have ended",
}
