"""Folders of metrics files and of experiments, and what a report makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.cost import prices
from orchestrator.cost.costs import Wanted
from orchestrator.page import material, page
from orchestrator.page.cases import cases_of
from orchestrator.page.charts import View
from orchestrator.page.material import Material
from orchestrator.page.tables import tables_of
from orchestrator.run.lines import Event
from tests.orchestrator.experiment.plans import write_experiment
from tests.orchestrator.report.sample_factory import (
    AT,
    MadeRun,
    make_failure,
    make_interrupted,
    make_plan,
    make_run,
    make_run_line,
)

NOW = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><b>\" onmouseover='alert(2)' & {{ 7*7 }} ${x} \u2028"
THREE_CASES: Mapping[str, float] = {"json": 1_000.0, "arrow": 850.0, "parquet": 1_004.0}


def experiment(folder: Path, typical_ms: Mapping[str, float] = THREE_CASES, repeats: int = 6) -> Path:
    write_experiment(folder, typical_ms, repeats)
    return folder


def one_run(folder: Path, run: MadeRun) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    run.write(folder)
    return folder


def nothing_done() -> MadeRun:
    plan = make_plan("r1")
    return MadeRun(plan, [make_run_line(plan)])


def all_failed() -> MadeRun:
    run = nothing_done()
    ends = [Event(event="chain_finished", at=AT, chain=chain, ok=False) for chain in (1, 2)]
    run.lines += [make_failure(1, 1), make_failure(2, 1), *ends]
    return run


def all_interrupted() -> MadeRun:
    run = make_run(run_id="r1")
    for sample in run.samples:
        run.replace(sample, make_interrupted(sample))
    return run


def hostile() -> MadeRun:
    """Everything that a file may say in words says something that a page must not act upon."""
    run = make_run(3, run_id="r1")
    for sample in run.samples:
        run.replace(sample, sample.model_copy(update=dict.fromkeys(("worker", "executor", "host"), HOSTILE)))
    words = {
        "settings": {"X": HOSTILE, HOSTILE: HOSTILE},
        "versions": {HOSTILE: HOSTILE},
        "machine": {HOSTILE: [HOSTILE]},
    }
    run.lines[0] = run.lines[0].model_copy(update=words)
    run.lines.insert(5, make_failure(1, 1, message=HOSTILE, error_class=HOSTILE))
    return run


def read(*targets: Path) -> Material:
    return material.read(Path("out"), [str(target) for target in targets])


def view_of(*targets: Path) -> View:
    found = read(*targets)
    cases = cases_of(found)
    return View(found, tables_of(found, cases), cases)


def page_of(*targets: Path) -> str:
    return page.page_of(read(*targets), prices.read(), Wanted(), NOW)
