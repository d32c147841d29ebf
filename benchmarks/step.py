"""A step of a large payload in an executor, against direct library calls that do the same work in one process.

python -m benchmarks.step [--rounds N] [--payload-mb MB] [--serializers json,arrow,msgpack] [--phases] [--json]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks._figures import Figure, Limit
from benchmarks._processes import MIB
from benchmarks._report import parser, progress, run
from benchmarks._stack import ProgramFailed, emulators, worker
from benchmarks._steps import PHASE_NAMES, Step, StepArm, WorkerArm, direct_arm, first_payload
from orchestrator.local.stack import Stack
from stepbench.messages import PayloadRef

SERIALIZERS = "json,arrow,msgpack"
WARM_UP_STEPS = 1
"""In each arm of each round: it opens connections and grows the heap."""
STEPS_PER_ROUND = 3
WALL_LIMIT = Limit(1.05)
PEAK_LIMIT = Limit(1.1)
NOTES = (
    "ours: python -m worker with one executor; theirs: benchmarks/_direct.py. Wall is from begun to done, in the",
    "process that does the work; with the worker: and what the worker adds before and after. CPU is",
    "that process's alone. Both collect garbage as Python does by default.",
)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    for serializer in arguments.serializers.split(","):
        with emulators() as stack:
            figures += _figures(serializer, arguments.phases, *_steps(stack, serializer, arguments))
    return figures


def _steps(stack: Stack, serializer: str, arguments: argparse.Namespace) -> tuple[list[Step], list[Step]]:
    """Steps of both arms in pairs. Each round has fresh processes: how a heap happens to lie stays with a process."""
    payload = first_payload(stack, serializer, arguments.payload_mb)
    ours: list[Step] = []
    theirs: list[Step] = []
    for number in range(arguments.rounds):
        with worker(stack, executors=1) as process, direct_arm(stack, serializer) as direct:
            pairs = _pairs(WorkerArm(stack, process), direct, payload)
        ours += [step for step, _ in pairs[WARM_UP_STEPS:]]
        theirs += [step for _, step in pairs[WARM_UP_STEPS:]]
        progress(f"{serializer}: round {number + 1} of {arguments.rounds}")
    if len({step.checksum for step in ours + theirs}) != 1:
        raise ProgramFailed(f"{serializer}: the two arms did not write the same bytes")
    return ours, theirs


def _pairs(ours: StepArm, theirs: StepArm, payload: PayloadRef) -> list[tuple[Step, Step]]:
    """One step of each, again and again, each order as often as the other."""
    pairs = []
    for number in range(WARM_UP_STEPS + STEPS_PER_ROUND):
        if number % 2 == 0:
            our_step = ours.step(payload)
            pairs.append((our_step, theirs.step(payload)))
        else:
            their_step = theirs.step(payload)
            pairs.append((ours.step(payload), their_step))
    return pairs


def _figures(serializer: str, phases: bool, ours: Sequence[Step], theirs: Sequence[Step]) -> list[Figure]:
    direct_ms = [step.wall_ns / 1e6 for step in theirs]
    with_worker_ms = [(step.wall_ns + step.worker_ns) / 1e6 for step in ours]
    our_peaks, their_peaks = ([step.peak_rss_bytes / MIB for step in steps] for steps in (ours, theirs))
    our_cpu_ms, their_cpu_ms = ([step.cpu_seconds * 1e3 for step in steps] for steps in (ours, theirs))
    figures = [
        Figure(f"{serializer}: wall", "ms", [step.wall_ns / 1e6 for step in ours], direct_ms, WALL_LIMIT),
        Figure(f"{serializer}: with the worker", "ms", with_worker_ms, direct_ms, WALL_LIMIT),
        Figure(f"{serializer}: worker adds", "ms", [step.worker_ns / 1e6 for step in ours]),
        Figure(f"{serializer}: CPU", "ms", our_cpu_ms, their_cpu_ms),
        Figure(f"{serializer}: peak memory", "MiB", our_peaks, their_peaks, PEAK_LIMIT),
    ]
    for name in PHASE_NAMES if phases else ():
        our_ms, their_ms = ([step.phases_ns[name] / 1e6 for step in steps] for steps in (ours, theirs))
        figures.append(Figure(f"{serializer}: {name}", "ms", our_ms, their_ms))
    return figures


def main() -> int:
    flags = parser("The cost of stepbench around the library calls of a step with a large payload.", rounds=5)
    flags.add_argument("--payload-mb", type=float, default=50.0, help="size of the records as JSON (default 50)")
    flags.add_argument("--serializers", default=SERIALIZERS, help=f"which, of and by default {SERIALIZERS}")
    flags.add_argument("--phases", action="store_true", help="show each phase of both, too")
    arguments = flags.parse_args()
    return run(f"step: {arguments.payload_mb:g} MB", arguments, measure, NOTES)


if __name__ == "__main__":
    sys.exit(main())
