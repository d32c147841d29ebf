"""One line of figures per case, the best first: an experiment's own, or what plain runs tell without verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from orchestrator.experiment import dollars
from orchestrator.experiment.result import CaseResult, PartResult
from orchestrator.page.material import Material
from orchestrator.report import memory
from orchestrator.report.statistics import run_wall_ns
from orchestrator.verdicts import pareto
from orchestrator.verdicts.comparison import Comparison
from orchestrator.verdicts.pareto import Point
from stepbench.samples import Frozen, Sample


class CaseFigures(Frozen):
    """Medians; null where nothing tells. `low_ns` and `high_ns` bound the step's median, where there are rounds."""

    name: str
    is_baseline: bool
    is_floor: bool
    """It hands bytes on where others carry records: nothing to choose."""
    rounds: int
    failed_runs: int
    samples: int
    """In the statistics."""
    step_ns: float | None
    low_ns: float | None
    high_ns: float | None
    alpha: float | None
    """How often such bounds miss the truth."""
    against_baseline: Comparison | None
    parts: dict[str, PartResult]
    """Empty where there are no verdicts."""
    rank_best: int | None
    rank_worst: int | None
    not_told_apart: tuple[str, ...]
    """Other cases of which it is not shown to be faster or slower; of runs without verdicts, none is told of."""
    bytes_out: float | None
    cpu_ns: float | None
    peak_rss_bytes: float | None
    steps_per_second: float | None
    usd_per_1000_steps: float | None
    on_front: bool
    error: str | None


def cases_of(material: Material) -> list[CaseFigures]:
    """The best first; those without a figure last."""
    if material.result is not None:
        return [_judged(material, case) for case in material.result.cases]
    plain = [_plain(material, name) for name in material.case_names]
    if not memory.is_told_apart({name: material.used(name) for name in material.case_names}):
        plain = [case.model_copy(update={"peak_rss_bytes": None}) for case in plain]
    plain.sort(key=lambda case: (case.step_ns is None, case.step_ns or 0))
    return _with_front(plain)


def _judged(material: Material, case: CaseResult) -> CaseFigures:
    interval = case.step_ns.interval
    return CaseFigures(
        name=case.name,
        is_baseline=case.is_baseline,
        is_floor=case.is_floor,
        rounds=case.rounds,
        failed_runs=case.failed_runs,
        samples=len(material.used(case.name)),
        step_ns=case.step_ns.median,
        low_ns=interval.low if interval else None,
        high_ns=interval.high if interval else None,
        alpha=interval.alpha if interval else None,
        against_baseline=case.against_baseline,
        parts=case.parts,
        rank_best=case.rank.best,
        rank_worst=case.rank.worst,
        not_told_apart=case.rank.not_told_apart,
        bytes_out=case.bytes_out,
        cpu_ns=case.cpu_ns,
        peak_rss_bytes=case.peak_rss_bytes,
        steps_per_second=case.steps_per_second,
        usd_per_1000_steps=case.usd_per_1000_steps,
        on_front=case.on_front,
        error=case.error,
    )


def _plain(material: Material, name: str) -> CaseFigures:
    runs = material.of_case(name)
    files = [run.file for run in runs]
    used = material.used(name)
    wall_ns = run_wall_ns(files)
    failures = [failure for file in files for failure in file.failures]
    return CaseFigures(
        name=name,
        is_baseline=False,
        is_floor=False,
        rounds=len(runs),
        failed_runs=sum(any(not end.ok for end in file.ends.values()) for file in files),
        samples=len(used),
        step_ns=_median(used, lambda sample: sample.total_ns),
        low_ns=None,
        high_ns=None,
        alpha=None,
        against_baseline=None,
        parts={},
        rank_best=None,
        rank_worst=None,
        not_told_apart=(),
        bytes_out=_median(used, lambda sample: sample.bytes_out),
        cpu_ns=_median(used, lambda sample: sum(sample.cpu_ns.values())),
        peak_rss_bytes=_median(used, lambda sample: sample.peak_rss_bytes),
        steps_per_second=sum(len(file.samples) for file in files) / wall_ns * 1e9 if wall_ns else None,
        usd_per_1000_steps=dollars.per_1000_steps(files) if used else None,
        on_front=False,
        error=f"{failures[-1].error_class}: {failures[-1].message}" if failures else None,
    )


def _with_front(cases: Sequence[CaseFigures]) -> list[CaseFigures]:
    """By the medians as they are: runs that were not measured side by side have no verdicts to go by."""
    points = {
        case.name: Point(time=case.step_ns, size=case.bytes_out)
        for case in cases
        if case.step_ns is not None and case.bytes_out is not None
    }
    faster = frozenset((a, b) for a in points for b in points if points[a].time < points[b].time)
    front = pareto.front(points, faster)
    return [case.model_copy(update={"on_front": case.name in front}) for case in cases]


def _median(used: Sequence[Sample], number: Callable[[Sample], float | None]) -> float | None:
    known = [value for sample in used if (value := number(sample)) is not None]
    return float(median(known)) if known else None
