"""`compare A B`: two runs, or two experiments, that were not measured side by side. Files in, verdicts out.

B is held against A: what is told is what B needs more or less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from orchestrator.experiment import reading
from orchestrator.experiment.reading import Experiment
from orchestrator.report.audit import parts_of_wall
from orchestrator.report.locate import find
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.metrics_file import read as read_file
from orchestrator.report.statistics import in_statistics, is_finished
from orchestrator.report.summary import PARTS
from orchestrator.verdicts.comparison import Comparison
from orchestrator.verdicts.correction import corrected
from orchestrator.verdicts.gate import Gate, gate
from orchestrator.verdicts.two_runs import NOT_SIDE_BY_SIDE, ONE_RUN_EACH, two_experiments, two_runs
from stepbench.errors import UsageError
from stepbench.samples import Frozen, Sample

NS_PER_MS = 1e6
SMALL_SHARE = 0.001
"""Of a step: parts below it in both are left out."""
PAYLOAD = ("PAYLOAD_MB", "PAYLOAD_FILE", "RECORDS_SEED", "COMPRESSIBILITY")
OF_A_PLACE = frozenset({"METRICS_DIR", "LOG_LEVEL", "LOG_FORMAT", "AWS_PROFILE"})
"""Settings that no figure depends on."""
Side = MetricsFile | Experiment


class Quantity(Frozen):
    """The step, or one part of it: medians in ms, and what B has of it against A."""

    a_ms: float | None
    b_ms: float | None
    comparison: Comparison


class TwoCases(Frozen):
    """What A and B say about the same case; of two runs, about the one that each has."""

    name: str
    step: Quantity
    parts: dict[str, Quantity]
    gate: Gate | None = None


class TwoResult(Frozen):
    """The answer of `compare A B`."""

    a: str
    b: str
    cases: tuple[TwoCases, ...]
    differences: tuple[str, ...]
    """What else is not the same, a sentence each."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What decides whether two sides can be compared at all."""

    environment: str
    settings: Mapping[str, Mapping[str, Any]]
    """All of each case, by its name; of a run, which has none, by an empty one."""
    versions: Mapping[str, str]
    machine: Mapping[str, Any]

    @classmethod
    def of(cls, side: Side) -> Facts:
        if isinstance(side, MetricsFile):
            return cls(side.run.environment, {"": side.run.settings}, side.run.versions, side.run.machine)
        plan = side.plan
        settings = {case.name: side.settings_of(case) for case in plan.cases}
        return cls(plan.environment, settings, plan.versions, plan.machine)


def side(metrics_dir: Path, target: str) -> Side:
    """The run or the experiment that is so called. Raises UsageError for neither."""
    path = Path(target)
    if path.is_dir():
        return reading.read(path)
    return read_file(find(metrics_dir, target))


def compared(a: Side, b: Side, *, limit: float | None = None, anyway: bool = False) -> TwoResult:
    """Raises UsageError for two that cannot be compared, unless it is wanted `anyway`."""
    if _name(a) == _name(b):
        raise UsageError(f"{_name(a)} is named twice; name another one beside it")
    if isinstance(a, MetricsFile) and isinstance(b, MetricsFile):
        cases: tuple[TwoCases, ...] = (_two_runs(a, b),)
        warning = ONE_RUN_EACH
    elif isinstance(a, Experiment) and isinstance(b, Experiment):
        cases = _two_experiments(a, b, anyway=anyway)
        warning = NOT_SIDE_BY_SIDE
    else:
        raise UsageError("one is a run and the other an experiment; name two of a kind")
    if not anyway and (problems := [*_obstacles(Facts.of(a), Facts.of(b))]):
        raise UsageError(f"{problem}; --anyway compares them all the same" for problem in problems)
    if limit is not None:
        cases = tuple(case.model_copy(update={"gate": gate(case.step.comparison, limit)}) for case in cases)
    return TwoResult(
        a=_name(a),
        b=_name(b),
        cases=cases,
        differences=tuple(_differences(Facts.of(a), Facts.of(b))),
        warnings=(*_about(a), *_about(b), warning),
    )


def _name(one: Side) -> str:
    return str(one.path if isinstance(one, MetricsFile) else one.folder)


def _obstacles(a: Facts, b: Facts) -> Iterator[str]:
    if a.environment != b.environment:
        yield "one was measured on the embedded stack and the other on AWS, which differ in everything"
    for told, cases in _changed_settings(a, b, lambda name: name in PAYLOAD):
        yield f"their payloads are not the same{cases and f' in {cases}'} ({told})"


def _differences(a: Facts, b: Facts) -> Iterator[str]:
    for told, cases in _changed_settings(a, b, lambda name: name not in OF_A_PLACE):
        yield f"Their settings differ{cases and f' in {cases}'}: {told}."
    for what, ours, theirs in (("versions", a.versions, b.versions), ("machines", a.machine, b.machine)):
        if told := _changed(ours, theirs, lambda _: True):
            yield f"Their {what} differ: {told}."


def _changed_settings(a: Facts, b: Facts, counts: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """What cases of the same name differ in, each with the names of those that do; no name where all of them do."""
    common = [name for name in a.settings if name in b.settings]
    found: dict[str, list[str]] = {}
    for name in common:
        if told := _changed(a.settings[name], b.settings[name], counts):
            found.setdefault(told, []).append(name)
    for told, names in found.items():
        yield told, "" if names == common else ", ".join(names)


def _changed(ours: Mapping[str, Any], theirs: Mapping[str, Any], counts: Callable[[str], bool]) -> str:
    """`STEPS 3 in A, 5 in B`; empty where nothing that counts has changed."""
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name) and counts(name)]
    return ", ".join(f"{name} {_shown(ours.get(name))} in A, {_shown(theirs.get(name))} in B" for name in names)


def _shown(value: object) -> str:
    """As a person would type it."""
    if value is None:
        return "unset"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _about(one: Side) -> Iterator[str]:
    if isinstance(one, Experiment):
        if not one.manifest.finished:
            yield f"{one.folder} is not finished: what is told is of the rounds so far."
        yield from (f"{problem[0].upper()}{problem[1:]}" for problem in one.problems)
        return
    if not is_finished(one):
        done, planned = len(one.samples), one.run.plan.chains * one.run.plan.steps
        yield f"{one.path} is not finished, or is still being written: {done} of {planned} steps so far."
    if any(not end.ok for end in one.ends.values()):
        yield f"Chains of {one.path} have failed: if they fail when they are slow, it looks faster than it is."


def _two_runs(a: MetricsFile, b: MetricsFile) -> TwoCases:
    ours, theirs = _in_order(b), _in_order(a)
    step = _of_runs([_total_ms(s) for s in ours], [_total_ms(s) for s in theirs])
    parts = {name: _of_runs(_part_ms(ours, name), _part_ms(theirs, name)) for name in PARTS}
    return TwoCases(name="step", step=step, parts=_as_family(parts, step))


def _in_order(file: MetricsFile) -> list[Sample]:
    used, _ = in_statistics(file.samples)
    return sorted(used, key=lambda sample: (sample.epoch, sample.completed_at_ns))


def _total_ms(sample: Sample) -> float:
    assert sample.total_ns is not None
    return sample.total_ns / NS_PER_MS


def _part_ms(samples: Sequence[Sample], name: str) -> list[float]:
    found = (parts_of_wall(sample).get(name) for sample in samples)
    return [value / NS_PER_MS for value in found if value is not None]


def _of_runs(ours: Sequence[float], theirs: Sequence[float]) -> Quantity:
    return Quantity(a_ms=_middle(theirs), b_ms=_middle(ours), comparison=two_runs(ours, theirs))


def _middle(values: Sequence[float]) -> float | None:
    return float(median(values)) if values else None


def _two_experiments(a: Experiment, b: Experiment, *, anyway: bool) -> tuple[TwoCases, ...]:
    theirs, ours = a.measured, b.measured
    common = [name for name in theirs if name in ours]
    strange = [name for name in {**theirs, **ours} if name not in common]
    if not common:
        raise UsageError("the two experiments have no case of the same name, so there is nothing to compare")
    if strange and not anyway:
        raise UsageError(
            f"only one of the two experiments has the cases {', '.join(strange)}; --anyway compares the others"
        )
    cases = [_same_case(name, a, b) for name in common]
    steps = corrected({case.name: case.step.comparison for case in cases})
    return tuple(
        case.model_copy(update={"step": case.step.model_copy(update={"comparison": steps[case.name]})})
        for case in cases
    )


def _same_case(name: str, a: Experiment, b: Experiment) -> TwoCases:
    ours, theirs = b.measured[name], a.measured[name]
    step = _of_rounds(
        {number: found.step_ns / NS_PER_MS for number, found in ours.items()},
        {number: found.step_ns / NS_PER_MS for number, found in theirs.items()},
    )
    parts = {
        part: _of_rounds(
            {number: found.parts_ns[part] / NS_PER_MS for number, found in ours.items() if part in found.parts_ns},
            {number: found.parts_ns[part] / NS_PER_MS for number, found in theirs.items() if part in found.parts_ns},
        )
        for part in PARTS
    }
    return TwoCases(name=name, step=step, parts=_as_family(parts, step))


def _of_rounds(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Quantity:
    return Quantity(
        a_ms=_middle([*theirs.values()]), b_ms=_middle([*ours.values()]), comparison=two_experiments(ours, theirs)
    )


def _as_family(parts: Mapping[str, Quantity], step: Quantity) -> dict[str, Quantity]:
    """Those that matter, corrected for their number."""
    least_ms = SMALL_SHARE * max(step.a_ms or 0, step.b_ms or 0)
    kept = {name: each for name, each in parts.items() if max(each.a_ms or 0, each.b_ms or 0) > least_ms}
    found = corrected({name: each.comparison for name, each in kept.items()})
    return {name: each.model_copy(update={"comparison": found[name]}) for name, each in kept.items()}
