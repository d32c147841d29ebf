"""What a queue adds to a small step: the same steps with --channel sqs and with --channel direct.

python -m benchmarks.channels [--rounds N] [--steps N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import sys

from benchmarks._arms import Load, Stepbench, cpu_milliseconds
from benchmarks._figures import Figure
from benchmarks._report import parser, run
from benchmarks._rounds import alternate
from benchmarks._stack import emulators, worker

PAYLOAD_BYTES = 10_000
NOTES = (
    "ours: --channel sqs, one worker of one executor; theirs: --channel direct, one executor, on the same stack.",
    "The queue costs, in each step, is the difference of the two walls, taken round by round: turnaround included.",
    "It is the emulator's queue, on this machine's processor. AWS's own has other times, and a network before it.",
)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    load = Load(chains=1, steps=arguments.steps, payload_bytes=PAYLOAD_BYTES)
    with emulators() as stack, worker(stack, executors=1) as process:
        queued = Stepbench(stack, process, "sqs", ["--channel=sqs"])
        direct = Stepbench(stack, process, "direct", ["--channel=direct", "--executors=1"])
        queued_runs, direct_runs = alternate(stack, queued, direct, load, arguments.rounds)
    queued_ms, direct_ms = (
        [run.wall_seconds * 1e3 / load.all_steps for run in runs] for runs in (queued_runs, direct_runs)
    )
    costs_ms = [with_queue - without for with_queue, without in zip(queued_ms, direct_ms, strict=True)]
    return [
        Figure("the queue costs, in each step", "ms", costs_ms),
        Figure("wall per step", "ms", queued_ms, direct_ms),
        Figure("CPU per step", "ms", cpu_milliseconds(queued_runs), cpu_milliseconds(direct_runs)),
    ]


def main() -> int:
    flags = parser("The cost of a queue: --channel sqs against --channel direct.", rounds=7)
    flags.add_argument("--steps", type=int, default=200, help="steps of the chain in each round (default 200)")
    arguments = flags.parse_args()
    return run(f"channels: one chain of {arguments.steps} steps, 10 kB raw", arguments, measure, NOTES)


if __name__ == "__main__":
    sys.exit(main())
