"""Steps per second of many chains at once with one worker process, against a hand-written loop of single-message calls.

python -m benchmarks.throughput [--rounds N] [--chains N] [--steps N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks._arms import Load, Run, cpu_milliseconds, hand_written_arm, stepbench_arm
from benchmarks._figures import Figure, Limit
from benchmarks._report import parser, progress, run
from benchmarks._rounds import alternate
from benchmarks._stack import emulators

PAYLOAD_BYTES = 10_000
EXECUTORS = (1, 2)
LIMITS = {1: Limit(1.5, at_least=True)}
"""By number of executors; the hand-written worker always is one thread."""
NOTES = (
    "ours: one python -m worker with 1 or 2 executors; theirs: one process, one thread, a call for each message",
    "sent or deleted (its orchestrator receives up to 10 at once). CPU is that of all processes but the emulators.",
)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    load = Load(arguments.chains, arguments.steps, PAYLOAD_BYTES)
    figures: list[Figure] = []
    for executors in EXECUTORS:
        progress(f"{executors} executor{'s' * (executors > 1)}")
        with emulators() as stack, stepbench_arm(stack, executors) as ours, hand_written_arm(stack) as theirs:
            runs = alternate(stack, ours, theirs, load, arguments.rounds)
        figures += _figures(executors, load, *runs)
    return figures


def _figures(executors: int, load: Load, our_runs: Sequence[Run], their_runs: Sequence[Run]) -> list[Figure]:
    ours, theirs = ([load.all_steps / run.wall_seconds for run in runs] for runs in (our_runs, their_runs))
    name = f"{executors} executor{'s' * (executors > 1)}"
    return [
        Figure(f"{name}: throughput", "steps/s", ours, theirs, limit=LIMITS.get(executors)),
        Figure(f"{name}: CPU per step", "ms", cpu_milliseconds(our_runs), cpu_milliseconds(their_runs)),
    ]


def main() -> int:
    flags = parser("The throughput of stepbench beside that of a hand-written loop.", rounds=5)
    flags.add_argument("--chains", type=int, default=50, help="chains, all in flight at once (default 50)")
    flags.add_argument("--steps", type=int, default=10, help="steps of each chain (default 10)")
    arguments = flags.parse_args()
    title = f"throughput: {arguments.chains} chains of {arguments.steps} steps, 10 kB raw"
    return run(title, arguments, measure, NOTES)


if __name__ == "__main__":
    sys.exit(main())
