"""What stepbench adds to the S3 and SQS calls of one chain, against a hand-written orchestrator and worker.

python -m benchmarks.overhead [--rounds N] [--steps N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import sys

from benchmarks._arms import Load, cpu_milliseconds, hand_written_arm, stepbench_arm
from benchmarks._figures import Figure, Limit
from benchmarks._report import parser, run
from benchmarks._rounds import alternate
from benchmarks._stack import emulators

PAYLOAD_BYTES = 10_000
WALL_LIMIT = Limit(1.10)
CPU_LIMIT = Limit(1.35)
NOTES = (
    "ours: python -m orchestrator start and python -m worker with one executor; theirs: benchmarks/_hand_written.py.",
    "CPU is that of all processes but the emulators, while steps run.",
)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    load = Load(chains=1, steps=arguments.steps, payload_bytes=PAYLOAD_BYTES)
    with emulators() as stack, stepbench_arm(stack, executors=1) as ours, hand_written_arm(stack) as theirs:
        our_runs, their_runs = alternate(stack, ours, theirs, load, arguments.rounds)
    ours_ms, theirs_ms = ([run.wall_seconds * 1e3 / load.all_steps for run in runs] for runs in (our_runs, their_runs))
    return [
        Figure("wall per step", "ms", ours_ms, theirs_ms, limit=WALL_LIMIT),
        Figure("CPU per step", "ms", cpu_milliseconds(our_runs), cpu_milliseconds(their_runs), limit=CPU_LIMIT),
    ]


def main() -> int:
    flags = parser("The overhead of stepbench over a hand-written loop of the same S3 and SQS calls.", rounds=7)
    flags.add_argument("--steps", type=int, default=200, help="steps of the chain in each round (default 200)")
    arguments = flags.parse_args()
    return run(f"overhead: one chain of {arguments.steps} steps, 10 kB raw", arguments, measure, NOTES)


if __name__ == "__main__":
    sys.exit(main())
