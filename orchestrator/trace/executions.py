"""Where each accepted execution stands: on its executor's track, between its dispatch and its completion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.trace import layout
from orchestrator.trace.frames import Chain, Step
from orchestrator.trace.model import Track
from orchestrator.trace.placing import Placed, place
from stepbench.samples import Sample


@dataclass(frozen=True, slots=True)
class Execution:
    track: Track
    begin_ns: int
    end_ns: int


def executions_of(chains: Iterable[Chain], *, by_function: bool) -> dict[tuple[int, int], Execution]:
    """Where each accepted execution stands, by chain and step."""
    by_executor: dict[tuple[str, str], list[tuple[Step, Sample]]] = defaultdict(list)
    for chain in chains:
        for step in chain.steps.values():
            if step.sample is not None:
                by_executor[step.sample.worker, step.sample.executor].append((step, step.sample))
    found: dict[tuple[int, int], Execution] = {}
    for (worker, executor), steps in by_executor.items():
        steps.sort(key=lambda of: of[1].begun_at_ns)  # one process's clock, and not compared to any other
        windows = [
            layout.window_of(sample, step.dispatched_ns, step.end_ns, transit_is_before=by_function)
            for step, sample in steps
        ]
        for (step, _), window, placed in zip(steps, windows, place(windows), strict=True):
            track = Track(f"worker {worker}", _lane_name(executor, placed))
            end_ns = placed.begin_ns + window.length_ns
            found[step.chain, step.number] = Execution(track, placed.begin_ns, end_ns)
    return found


def _lane_name(executor: str, placed: Placed) -> str:
    return executor if placed.lane == 0 else f"{executor} (overlapping {placed.lane})"
