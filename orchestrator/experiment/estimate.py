"""How long an experiment will take and how much it will write, told before it begins.

From earlier runs of the same case where their metrics files are near, else from a small payload of each format that is
timed here, scaled up, with what moving an object and a run's begin and end took on the embedded stack. It is meant to
tell minutes from hours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.experiment import calibration, dollars, manifest
from orchestrator.experiment.calibration import SAMPLE_BYTES, Format, Measured
from orchestrator.experiment.cases import ReadyCase
from orchestrator.experiment.manifest import FOLDER_PREFIX, NAME
from orchestrator.run import site
from orchestrator.run.first_payload import Recipe, is_kept_for
from stepbench import configuration, machine
from stepbench.channels import traits
from stepbench.errors import StepbenchError
from stepbench.settings import Settings

MOVED_BYTES_PER_SECOND = 150e6
"""Of one object, there and back, through the embedded S3: measured with 50 MB on two cores."""
STEP_SECONDS = 0.03
"""What the queues take of a step on the embedded stack."""
RUN_SECONDS = 0.2
"""A run's begin and end: the first payload's upload, queues, clean-up."""
CHILD_SECONDS = 1.0
"""The start of a process that makes a first payload, where each run has one of its own."""
GENERATED_BYTES_PER_SECOND = 25e6
STACK_SECONDS = 3.0
EXPERIMENTS_LOOKED_AT = 20
UNLIKE = frozenset({"METRICS_DIR", "LOG_LEVEL", "LOG_FORMAT", "METRICS_FSYNC"})
"""What two runs of the same case may differ in."""


@dataclass(frozen=True)
class Estimate:
    """Of all runs, the warm-up round among them."""

    rounds: int
    runs: int
    seconds: float
    written_bytes: int
    how: str
    usd: float | None = None
    """Of S3 and SQS; null on the embedded stack, and where the region has no prices."""

    def of(self, rounds: float) -> Estimate:
        """As many of the same rounds, whole or in part."""
        share = rounds / self.rounds
        return replace(
            self,
            rounds=round(rounds),
            runs=round(self.runs * share),
            seconds=STACK_SECONDS + (self.seconds - STACK_SECONDS) * share,
            written_bytes=round(self.written_bytes * share),
            usd=None if self.usd is None else self.usd * share,
        )

    def within(self, minutes: float | None) -> Estimate:
        """No more than is done in that time."""
        runs_seconds = self.seconds - STACK_SECONDS
        if minutes is None or runs_seconds <= minutes * 60:
            return self
        return self.of(self.rounds * minutes * 60 / runs_seconds)


def estimate(cases: Sequence[ReadyCase], rounds: int, metrics_dir: Path) -> Estimate:
    """`rounds` with the warm-up round. Reads old manifests and starts one short process."""
    known = _known_seconds(metrics_dir)
    measured = _calibrated(cases)
    per_case = [known.get(_key(case.settings)) for case in cases]
    reckoned = [_run_seconds(case.settings, found) for case, found in zip(cases, measured, strict=True)]
    seconds = sum(then if then is not None else now for then, now in zip(per_case, reckoned, strict=True))
    written = sum(_run_bytes(case.settings, found) for case, found in zip(cases, measured, strict=True))
    usd = [_run_usd(case.settings, found) for case, found in zip(cases, measured, strict=True)]
    whole_usd = None if None in usd else rounds * sum(each for each in usd if each is not None)
    old = len([then for then in per_case if then is not None])
    return Estimate(
        rounds,
        rounds * len(cases),
        STACK_SECONDS + rounds * seconds,
        rounds * written,
        _how(old, len(cases)),
        whole_usd,
    )


def _how(known: int, count: int) -> str:
    timed = f"{SAMPLE_BYTES / 1e6:g} MB of each format timed here"
    if known == count:
        return "from earlier runs of these cases"
    return f"from earlier runs of {known} cases, and {timed}" if known else f"from {timed}"


def _calibrated(cases: Sequence[ReadyCase]) -> list[Measured]:
    formats = [_format(case.settings) for case in cases]
    distinct = {each.model_dump_json(): each for each in formats}
    found = calibration.measure([*distinct.values()], site.child_environment(cases[0].settings))
    if found is None:
        return [Measured(step_ns=0, object_bytes=SAMPLE_BYTES)] * len(cases)
    by_format = dict(zip(distinct, found, strict=True))
    return [by_format[each.model_dump_json()] for each in formats]


def _format(settings: Settings) -> Format:
    return Format(
        serializer=settings.serializer,
        compression=settings.compression,
        materialize=settings.materialize,
        compressibility=settings.compressibility,
    )


def _run_seconds(settings: Settings, found: Measured) -> float:
    payload = _payload_bytes(settings)
    moved = found.object_bytes * payload / SAMPLE_BYTES
    computing = found.step_ns / 1e9 * payload / SAMPLE_BYTES
    step = computing + 2 * moved / MOVED_BYTES_PER_SECOND + STEP_SECONDS + _transform_seconds(settings)
    seconds = _steps(settings) * step / _steps_at_once(settings)
    child = 0.0 if is_kept_for(Recipe.of(settings)) else CHILD_SECONDS
    return RUN_SECONDS + child + payload / GENERATED_BYTES_PER_SECOND + seconds


def _steps_at_once(settings: Settings) -> int:
    """Of a fleet and of a function nobody knows here how many they are."""
    if not settings.embedded and not traits(settings.channel).own_executors:
        return settings.concurrency
    return min(settings.concurrency, settings.executors or machine.cores(), machine.cores())


def _transform_seconds(settings: Settings) -> float:
    return settings.transform_cpu_ms / 1e3 if settings.transform == "cpu" else 0.0


def _run_bytes(settings: Settings, found: Measured) -> int:
    return (1 + _steps(settings)) * _object_bytes(settings, found)


def _run_usd(settings: Settings, found: Measured) -> float | None:
    if settings.embedded:
        return None
    return dollars.of_a_run(settings, _steps(settings), _object_bytes(settings, found))


def _object_bytes(settings: Settings, found: Measured) -> int:
    return round(found.object_bytes * _payload_bytes(settings) / SAMPLE_BYTES)


def _steps(settings: Settings) -> int:
    """Warm-up steps among them."""
    return (settings.chains or settings.concurrency) * settings.steps + settings.warmup * settings.concurrency


def _payload_bytes(settings: Settings) -> float:
    if settings.payload_file is not None:
        return settings.payload_file.stat().st_size
    return settings.payload_mb * 1e6


def _known_seconds(metrics_dir: Path) -> dict[str, float]:
    """By case, how long one run took, of the newest experiments in the folder."""
    folders = sorted(metrics_dir.glob(f"{FOLDER_PREFIX}*/{NAME}"))[-EXPERIMENTS_LOOKED_AT:]
    return dict(pair for path in folders for pair in _seconds_in(path))


def _seconds_in(path: Path) -> Iterator[tuple[str, float]]:
    try:
        found = manifest.read(path)
    except StepbenchError:
        return
    for case in found.plan.cases:
        took = [end.seconds for end in found.ends if end.case == case.name and end.ok and end.round]
        if took:
            yield _key_of({**found.plan.settings, **case.settings}), sum(took) / len(took)


def _key(settings: Settings) -> str:
    return _key_of(configuration.in_force(settings))


def _key_of(values: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in sorted(values.items()) if name not in UNLIKE})
