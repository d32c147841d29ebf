"""Runs in every state in which a file may be found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.report.metrics_file import MetricsFile, read
from orchestrator.run.lines import Event, SummaryLine
from stepbench.samples import Sample
from tests.orchestrator.report.sample_factory import MS, MadeRun, make_failure, make_interrupted, make_run, make_sample

START = "2025-01-02T03:04:05.678Z"


def at(seconds: float) -> str:
    """A time of day behind the start of the made runs."""
    return f"2025-01-02T03:04:{5.678 + seconds:06.3f}Z"


def event(name: str, at: str = START, **fields: Any) -> Event:
    return Event.model_validate({"event": name, "at": at, **fields})


def read_made(run: MadeRun, folder: Path) -> MetricsFile:
    return read(run.write(folder))


def one_step(**changes: Any) -> MadeRun:
    """A chain of one step that took 815 ms."""
    run = make_run(chains=1, steps=1, concurrency=1, finished=False)
    run.lines[2:] = [
        event("dispatching", chain=1, step=1, attempt=changes.get("attempt", 1), epoch=1),
        make_sample(**changes),
        event("chain_finished", chain=1, ok=True, wall_ns=815 * MS),
    ]
    return run


def failed() -> MadeRun:
    """Chain 1 fails at its second attempt of step 1; chain 2 is still at its first."""
    run = make_run(chains=2, steps=1, finished=False)
    run.lines[2:] = [
        event("dispatching", at(1), chain=1, step=1, attempt=1, epoch=1),
        event("dispatching", at(1), chain=2, step=1, attempt=1, epoch=1),
        make_failure(1, 1, at=at(2)),
        event("dispatching", at(2), chain=1, step=1, attempt=2, epoch=1),
        event("lost", at(4), chain=1, step=1, attempt=2, message="nothing came back"),
        make_failure(1, 1, 2, at=at(4), error_class="StepLost", message="nothing came back"),
        event("chain_finished", at(4), chain=1, ok=False),
        event("duplicate", at(5), chain=1, step=1, attempt=1),
    ]
    return run


def retried() -> MadeRun:
    """Step 1 fails once, and its second attempt is accepted 300 ms after the first was dispatched."""
    run = one_step(attempt=2, retry_ns=300 * MS)
    run.lines[2:3] = [
        event("dispatching", at(1), chain=1, step=1, attempt=1, epoch=1),
        make_failure(1, 1, at=at(1.2)),
        event("dispatching", at(1.3), chain=1, step=1, attempt=2, epoch=1),
    ]
    return run


def resumed(seed: int, at_seconds: float = 30) -> MadeRun:
    """Each chain's second step was in flight when the orchestrator went down, and a clock of another boot goes on."""
    run = make_run(seed, cold=False)
    before = [line for line in run.lines[2:-1] if not isinstance(line, SummaryLine)]
    samples = [line for line in before if isinstance(line, Sample)]
    first = [line for line in before if getattr(line, "step", None) == 1]
    announced = [line for line in before if getattr(line, "step", None) == 2 and isinstance(line, Event)]
    second = [make_interrupted(sample) for sample in samples if sample.step == 2]
    reset_ns = 10**12 - 5 * 10**9
    third = [
        sample.model_copy(
            update={
                "turnaround_ns": 0,
                "dispatched_at_ns": (sample.dispatched_at_ns or 0) - reset_ns,
                "completed_at_ns": sample.completed_at_ns - reset_ns,
            }
        )
        for sample in samples
        if sample.step == 3
    ]
    rebooted = [sample.model_copy(update={"completed_at_ns": sample.completed_at_ns - reset_ns}) for sample in second]
    run.lines[2:] = [
        *first,
        *announced,
        event("interrupted", at(at_seconds - 1)),
        event("resumed", at(at_seconds), epoch=2),
        *rebooted,
    ]
    for sample in third:
        run.lines += [
            event("dispatching", at(at_seconds + 1), chain=sample.chain, step=3, attempt=sample.attempt, epoch=2),
            sample,
        ]
    return run


def many(samples: int) -> MadeRun:
    return make_run(chains=samples // 100, steps=100, concurrency=10)
