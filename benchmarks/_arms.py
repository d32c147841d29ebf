"""The two arms of the comparisons of whole runs, on the same emulators: stepbench, and the hand-written pair.

Both have a worker that is up before the first run and stays. Both runs' walls are from the first send until the last
completion is received, by the orchestrator's own clock. CPU is read from outside, early and late in a run, with
the number of steps done by then, and is what was spent between the two readings over the steps between them: so
start-up, first payload and summary are in neither arm's figure, and both are watched alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks import _hand_written
from benchmarks._processes import cpu_seconds, with_descendants
from benchmarks._stack import ProgramFailed, ended_well, running, scratch, surroundings, worker
from orchestrator.local.stack import Stack

LOOKS_APART_SECONDS = 0.05
LEFT_OUT_SHARE = 0.05
"""Of the steps, at the run's begin: connections are opened and first times happen there."""
HAND_STEPS_QUEUE = "hand-written-steps"
HAND_RESULTS_QUEUE = "hand-written-results"


@dataclass(frozen=True)
class Load:
    """What a run has to do."""

    chains: int
    steps: int
    payload_bytes: int = 10_000

    @property
    def all_steps(self) -> int:
        return self.chains * self.steps


@dataclass(frozen=True)
class Run:
    """What came of it. CPU is that of every process but the emulators."""

    wall_seconds: float
    cpu_seconds_per_step: float


def cpu_milliseconds(runs: Sequence[Run]) -> list[float]:
    """Per step."""
    return [run.cpu_seconds_per_step * 1e3 for run in runs]


class Arm(Protocol):
    """One of the two, with its worker up."""

    name: str

    @property
    def worker_pid(self) -> int: ...

    def run(self, load: Load) -> Run: ...


@contextmanager
def stepbench_arm(stack: Stack, executors: int) -> Iterator[Arm]:
    """The real programs. Each run is `python -m orchestrator start`."""
    with worker(stack, executors) as process:
        yield Stepbench(stack, process)


@contextmanager
def hand_written_arm(stack: Stack) -> Iterator[Arm]:
    """The hand-written pair, on queues of its own."""
    with ExitStack() as block:
        client = stack.clients().sqs
        urls = [client.create_queue(QueueName=name)["QueueUrl"] for name in (HAND_STEPS_QUEUE, HAND_RESULTS_QUEUE)]
        folder = block.enter_context(scratch())
        command = [sys.executable, _hand_written.__file__, "worker", stack.bucket, *urls]
        process = block.enter_context(running(command, surroundings(stack), folder=folder, stdout=subprocess.PIPE))
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise ProgramFailed("the hand-written worker did not come up; what it said stands above")
        yield _HandWritten(stack, process, urls)


def empty_bucket(stack: Stack) -> None:
    """Takes away what earlier runs left, so that no arm works on a fuller emulator than the other."""
    client = stack.clients().s3
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket):
        if keys := [found["Key"] for found in page.get("Contents", ())]:
            client.delete_objects(Bucket=stack.bucket, Delete={"Objects": [{"Key": key} for key in keys]})


class Stepbench:
    """Runs with `flags` of their own beside the load's, done by a worker that is up."""

    def __init__(
        self, stack: Stack, worker_process: subprocess.Popen[bytes], name: str = "stepbench", flags: Sequence[str] = ()
    ) -> None:
        self.name = name
        self._stack = stack
        self._worker = worker_process
        self._extra_flags = flags

    @property
    def worker_pid(self) -> int:
        return self._worker.pid

    def run(self, load: Load) -> Run:
        with scratch() as folder:
            command = [sys.executable, "-P", "-m", "orchestrator", "start", "--quiet", *_flags(load, folder)]
            command += self._extra_flags
            counter = _LineCounter(lambda: next(folder.glob("metrics-*.jsonl"), None), b'"kind":"sample"')
            cpu = _watched(command, self._stack, folder, self._worker, counter, load)
            return Run(_wall_by_metrics(counter.lines(), load), cpu)


class _HandWritten:
    name = "hand-written"

    def __init__(self, stack: Stack, worker_process: subprocess.Popen[bytes], urls: Sequence[str]) -> None:
        self._stack = stack
        self._worker = worker_process
        self._urls = urls

    @property
    def worker_pid(self) -> int:
        return self._worker.pid

    def run(self, load: Load) -> Run:
        with scratch() as folder:
            numbers = map(str, (load.chains, load.steps, load.payload_bytes))
            command = [
                sys.executable,
                _hand_written.__file__,
                "orchestrator",
                self._stack.bucket,
                *self._urls,
                *numbers,
            ]
            counter = _LineCounter(lambda: folder / "stdout", b'"step"')
            cpu = _watched(command, self._stack, folder, self._worker, counter, load)
            return Run(json.loads(counter.lines()[-1])["wall_seconds"], cpu)


def _flags(load: Load, folder: Path) -> list[str]:
    return [
        f"--chains={load.chains}",
        f"--concurrency={load.chains}",
        f"--steps={load.steps}",
        f"--payload-mb={load.payload_bytes / 1e6}",
        "--serializer=raw",
        f"--metrics-dir={folder}",
    ]


def _wall_by_metrics(lines: Sequence[bytes], load: Load) -> float:
    """First dispatch to last completion, of the raw stamps in the metrics file."""
    samples: list[dict[str, Any]] = [json.loads(line) for line in lines if b'"kind":"sample"' in line]
    if len(samples) != load.all_steps:
        raise ProgramFailed(f"the metrics file has {len(samples)} samples where there should be {load.all_steps}")
    ended_ns = max(sample["completed_at_ns"] for sample in samples)
    return float(ended_ns - min(sample["dispatched_at_ns"] for sample in samples)) / 1e9


class _LineCounter:
    """How many lines with `words` a file has that somebody is writing; reads only what is new."""

    def __init__(self, path: Callable[[], Path | None], words: bytes) -> None:
        self._path = path
        self._words = words
        self._at = 0
        self._count = 0

    def count(self) -> int:
        path = self._path()
        if path is None:
            return 0
        with path.open("rb") as file:
            file.seek(self._at)
            whole, newline, _torn = file.read().rpartition(b"\n")
        self._at += len(whole) + len(newline)
        self._count += whole.count(self._words)
        return self._count

    def lines(self) -> list[bytes]:
        path = self._path()
        return path.read_bytes().splitlines() if path else []


def _watched(
    command: Sequence[str],
    stack: Stack,
    folder: Path,
    worker_process: subprocess.Popen[bytes],
    counter: _LineCounter,
    load: Load,
) -> float:
    """Runs an orchestrator to its end; CPU seconds per step of it, its children, the worker and its executors."""
    readings: list[tuple[int, float]] = []
    with (
        (folder / "stdout").open("wb") as out,
        (folder / "stderr").open("wb") as log,
        running(command, surroundings(stack), folder=folder, stdout=out, stderr=log) as process,
    ):
        for share in (LEFT_OUT_SHARE, 1 - LEFT_OUT_SHARE):
            done = 0
            while done < share * load.all_steps and process.poll() is None:
                # Only looks at what a file has grown by: whoever watches takes time from what it watches.
                time.sleep(LOOKS_APART_SECONDS)
                done = counter.count()
            if process.poll() is None:
                readings.append((done, _cpu_of_both(process, worker_process)))
        ended_well(process, "the orchestrator", folder / "stderr")
    return _per_step(readings)


def _cpu_of_both(*processes: subprocess.Popen[bytes]) -> float:
    return cpu_seconds(pid for process in processes for pid in with_descendants(process.pid))


def _per_step(readings: Sequence[tuple[int, float]]) -> float:
    if len({steps for steps, _ in readings}) < 2:
        raise ProgramFailed("the run was too short to read its CPU time; give it more steps")
    (first_steps, first_seconds), (last_steps, last_seconds) = readings[0], readings[-1]
    return (last_seconds - first_seconds) / (last_steps - first_steps)
