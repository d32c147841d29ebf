"""Plans, ends of runs and whole folders of experiments, for tests."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.experiment import manifest
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.lines import Case, ExperimentEvent, ExperimentLine, RunEnd
from orchestrator.run.lines import Event
from stepbench.samples import Frozen
from tests.orchestrator.report.sample_factory import AT, MS, make_plan, make_run_line, make_sample


def make_experiment(*names: str, **changes: Any) -> ExperimentLine:
    values: dict[str, Any] = {
        "experiment_id": "20250102-030405-abcdef",
        "started_at": AT,
        "environment": "embedded",
        "cases": tuple(Case(name=name, settings={"SERIALIZER": name}) for name in names),
        "baseline": names[0],
        "settings": {"STEPS": 3, "PAYLOAD_MB": 1.0, "ORCH_BUCKET": None},
        "repeats": 3,
        "seed": 1,
        "versions": {"stepbench": "0.1.0"},
        "machine": {"cores": 2},
    }
    return ExperimentLine.model_validate(values | changes)


def make_end(case: str, number: int, *, ok: bool = True, run_id: str | None = None) -> RunEnd:
    return RunEnd(
        at=AT,
        round=number,
        case=case,
        run_id=run_id or f"20250102-030405-{abs(hash((case, number))) % 2**24:06x}",
        ok=ok,
        error=None if ok else "it did not want to",
        seconds=2.0,
        steal_share=0.0,
        load_1min=1.0,
    )


def make_figures(step_ns: float, **parts_ns: float) -> RunFigures:
    return RunFigures(
        samples=4,
        cold_only=False,
        step_ns=step_ns,
        parts_ns=parts_ns,
        bytes_out=1.0,
        cpu_ns=1.0,
        peak_rss_bytes=None,
        steps_per_second=None,
        retries=0,
        throttled=0,
    )


def make_event(event: str, **fields: Any) -> ExperimentEvent:
    return ExperimentEvent.model_validate({"event": event, "at": AT, **fields})


def write_manifest(folder: Path, *lines: Frozen) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / manifest.NAME
    path.write_text("".join(f"{line.model_dump_json()}\n" for line in lines))
    return path


def write_run(folder: Path, run_id: str, step_ms: float, steps: int = 4, **plan_changes: Any) -> Path:
    """A metrics file of one chain whose steps all take `step_ms`."""
    plan = make_plan(run_id, chains=1, concurrency=1, steps=steps, **plan_changes)
    lines: list[Frozen] = [make_run_line(plan, PAYLOAD_MB=plan.payload_mb)]
    completed = 10**12
    for step in range(1, steps + 1):
        rest = round(step_ms * MS) - 815 * MS
        sample = make_sample(
            run_id=run_id,
            step=step,
            total_ns=round(step_ms * MS),
            transit_ns=5 * MS + rest,
            dispatched_at_ns=completed,
            completed_at_ns=completed + round(step_ms * MS),
            bytes_out=round(step_ms * 1_000),
        )
        completed = sample.completed_at_ns
        lines += [Event(event="dispatching", at=AT, chain=1, step=step, attempt=1, epoch=1), sample]
    lines.append(Event(event="chain_finished", at=AT, chain=1, ok=True, wall_ns=completed - 10**12))
    path = folder / f"metrics-{run_id}.jsonl"
    path.write_text("".join(f"{line.model_dump_json()}\n" for line in lines))
    return path


def write_experiment(
    folder: Path, typical_ms: Mapping[str, float], repeats: int = 10, *, finished: bool = True, **changes: Any
) -> ExperimentLine:
    """A folder in which each case's rounds vary by a percent around its typical step; a case of 0 ms fails always."""
    plan = make_experiment(*typical_ms, repeats=repeats, **changes)
    rng = random.Random(1)
    lines: list[Frozen] = [plan]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(repeats + 1):
        for place, (case, step_ms) in enumerate(typical_ms.items()):
            run_id = f"20250102-{number:06}-{place:06x}"
            lines.append(make_end(case, number, ok=step_ms > 0, run_id=run_id))
            if step_ms:
                write_run(folder, run_id, step_ms * rng.gauss(1, 0.01))
    write_manifest(folder, *lines, *([make_event("finished")] if finished else []))
    return plan
