"""How long `--help` takes, and the memory of an idle worker, of an idle executor and of the orchestrator.

python -m benchmarks.footprint [--rounds N] [--json] [--check]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks._arms import Load, empty_bucket, stepbench_arm
from benchmarks._figures import Figure, Limit
from benchmarks._processes import peak_rss_mib, pss_mib, rss_mib, with_descendants
from benchmarks._report import parser, progress, run
from benchmarks._stack import emulators, ended_well, running, scratch, surroundings, worker

HELP = ("-m", "orchestrator", "--help")
NOTHING = ("-c", "pass")
SETTINGS_LIBRARY = ("-c", "import pydantic_settings")
HELP_LIMIT = Limit(0.3, of="ours")
WORKER_LIMIT = Limit(65, of="ours")
EXECUTOR_LIMIT = Limit(70, of="ours")
ORCHESTRATOR_LIMIT = Limit(150, of="ours")
PAYLOADS_MB = (1, 100)
HELP_RUNS_PER_ROUND = 3
LOOKS_APART_SECONDS = 0.005
SETTLE_SECONDS = 1.5
"""Until a worker that has just become idle sits in its long poll."""
NOTES = (
    "theirs: python -c pass, and python -c 'import pydantic_settings', which alone --help cannot do without.",
    "Memory limits are held against RSS, which counts libraries that other processes share in full; Pss is beside it.",
)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    return [*_help(arguments.rounds), *_idle(arguments.rounds), *_orchestrator(arguments.rounds)]


def _help(rounds: int) -> list[Figure]:
    commands = (HELP, NOTHING, SETTINGS_LIBRARY)
    spent: dict[tuple[str, ...], list[tuple[float, float]]] = {command: [] for command in commands}
    for command in commands:
        _wall_and_cpu_seconds(command)  # files are read and byte code is written
    for number in range(rounds * HELP_RUNS_PER_ROUND):
        for command in commands if number % 2 == 0 else commands[::-1]:
            spent[command].append(_wall_and_cpu_seconds(command))
    progress("--help")
    wall, cpu = ({command: [pair[at] for pair in pairs] for command, pairs in spent.items()} for at in (0, 1))
    return [
        Figure("--help beside pass: wall", "s", wall[HELP], wall[NOTHING], HELP_LIMIT),
        Figure("--help beside pydantic_settings: wall", "s", wall[HELP], wall[SETTINGS_LIBRARY]),
        Figure("--help beside pydantic_settings: CPU", "s", cpu[HELP], cpu[SETTINGS_LIBRARY]),
    ]


def _wall_and_cpu_seconds(arguments: tuple[str, ...]) -> tuple[float, float]:
    began, before = time.monotonic(), os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=surroundings())
    wall, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def _idle(rounds: int) -> list[Figure]:
    """Before the first step, and after some: what a fleet that waits costs."""
    fresh: list[tuple[float, float, float, float]] = []
    used: list[tuple[float, float, float, float]] = []
    with emulators() as stack:
        for number in range(rounds):
            with worker(stack, executors=1) as process:
                fresh.append(_worker_and_executor(process.pid))
            with stepbench_arm(stack, executors=1) as arm:
                arm.run(Load(chains=4, steps=25))
                used.append(_worker_and_executor(arm.worker_pid))
            empty_bucket(stack)
            progress(f"idle worker: {number + 1} of {rounds}")
    return [*_idle_figures("before the first step", fresh), *_idle_figures("after 100 raw steps", used)]


def _worker_and_executor(pid: int) -> tuple[float, float, float, float]:
    """(worker's RSS, executor's RSS, worker's Pss, executor's Pss) in MiB."""
    time.sleep(SETTLE_SECONDS)
    worker_pid, executor_pid = with_descendants(pid)
    return rss_mib(worker_pid), rss_mib(executor_pid), pss_mib(worker_pid), pss_mib(executor_pid)


def _idle_figures(when: str, found: list[tuple[float, float, float, float]]) -> list[Figure]:
    worker_rss, executor_rss, worker_pss, executor_pss = (list(values) for values in zip(*found, strict=True))
    return [
        Figure(f"idle worker {when}: RSS", "MiB", worker_rss, limit=WORKER_LIMIT),
        Figure(f"idle worker {when}: Pss", "MiB", worker_pss),
        Figure(f"idle executor {when}: RSS", "MiB", executor_rss, limit=EXECUTOR_LIMIT),
        Figure(f"idle executor {when}: Pss", "MiB", executor_pss),
    ]


def _orchestrator(rounds: int) -> list[Figure]:
    """Peaks of `start` as a newcomer runs it, with the embedded stack."""
    peaks: dict[int, list[float]] = {payload_mb: [] for payload_mb in PAYLOADS_MB}
    for number in range(rounds):
        for payload_mb in PAYLOADS_MB:
            peaks[payload_mb].append(_orchestrator_peak_mib(payload_mb))
        progress(f"orchestrator: {number + 1} of {rounds}")
    return [
        Figure(f"orchestrator, {payload_mb} MB json: peak RSS", "MiB", peaks[payload_mb], limit=ORCHESTRATOR_LIMIT)
        for payload_mb in PAYLOADS_MB
    ]


def _orchestrator_peak_mib(payload_mb: int) -> float:
    """Looked at again and again until it ends: what wait(2) says of a child includes its parent's size at the fork."""
    with scratch() as folder:
        command = [sys.executable, "-P", "-m", "orchestrator", "start", "--quiet", "--steps=2"]
        command += [f"--payload-mb={payload_mb}", f"--metrics-dir={folder}"]
        log: Path = folder / "stderr"
        peak = 0.0
        with log.open("wb") as stderr, running(command, surroundings(), folder=folder, stderr=stderr) as process:
            while process.poll() is None:
                with suppress(OSError, LookupError):
                    peak = max(peak, peak_rss_mib(process.pid))
                time.sleep(LOOKS_APART_SECONDS)
            ended_well(process, "the orchestrator", log)
    return peak


def main() -> int:
    flags = parser("The time of --help and the memory of idle processes and of the orchestrator.", rounds=3)
    return run("footprint", flags.parse_args(), measure, NOTES)


if __name__ == "__main__":
    sys.exit(main())
