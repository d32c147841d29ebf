"""What it costs to have every line of the metrics file on the disk before anything follows from it (METRICS_FSYNC).

python -m benchmarks.durability [--rounds N] [--steps N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

from benchmarks._arms import Load, Stepbench
from benchmarks._figures import Figure
from benchmarks._report import parser, run
from benchmarks._rounds import alternate
from benchmarks._stack import emulators, worker
from orchestrator.run.journal import Journal
from orchestrator.run.lines import Event

PAYLOAD_BYTES = 10_000
WRITES = 200
NOTES = (
    "ours: METRICS_FSYNC=true; theirs: the default, which survives the death of the process and no power cut.",
    "The disk is that of the folder for temporary files (TMPDIR); where that is memory, fsync costs nothing there.",
)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    load = Load(chains=1, steps=arguments.steps, payload_bytes=PAYLOAD_BYTES)
    with emulators() as stack, worker(stack, executors=1) as process:
        through = Stepbench(stack, process, "with fsync", ["--metrics-fsync=true"])
        usual = Stepbench(stack, process, "without", ["--metrics-fsync=false"])
        our_runs, their_runs = alternate(stack, through, usual, load, arguments.rounds)
    ours_ms, theirs_ms = ([run.wall_seconds * 1e3 / load.all_steps for run in runs] for runs in (our_runs, their_runs))
    writes = [[_write_milliseconds(through=through) for through in (True, False)] for _ in range(arguments.rounds)]
    return [
        Figure("wall per step", "ms", ours_ms, theirs_ms),
        Figure("a write of the metrics file", "ms", [ours for ours, _ in writes], [theirs for _, theirs in writes]),
    ]


def _write_milliseconds(*, through: bool) -> float:
    """Of one line, on average over WRITES of them."""
    line = Event(event="foreign", at="", message="x" * 500)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "metrics.jsonl", through=through)
        began_ns = perf_counter_ns()
        for _ in range(WRITES):
            journal.write([line])
        spent_ns = perf_counter_ns() - began_ns
        journal.close()
    return spent_ns / WRITES / 1e6


def main() -> int:
    flags = parser("The cost of METRICS_FSYNC.", rounds=7)
    flags.add_argument("--steps", type=int, default=100, help="steps of the chain in each round (default 100)")
    arguments = flags.parse_args()
    return run(f"durability: one chain of {arguments.steps} steps, 10 kB raw", arguments, measure, NOTES)


if __name__ == "__main__":
    sys.exit(main())
