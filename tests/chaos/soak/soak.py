"""One long run of small chains on one worker, with small troubles all the time, and what it does to the programs."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from time import monotonic, sleep

from orchestrator.local.stack import Stack
from orchestrator.report import metrics_file
from orchestrator.report.audit import audit
from orchestrator.report.metrics_file import MetricsFile
from tests.chaos.faults.proxy import Proxies
from tests.chaos.figures import Figures, PromiseBroken
from tests.chaos.processes.verdict import judge_words
from tests.chaos.soak.meter import Meter
from tests.chaos.soak.trouble import Trouble
from tests.runs.fleet import Fleet
from tests.runs.programs import RunProgram, WorkerProgram
from tests.runs.saboteur import Saboteur

CHAINS_PER_SECOND = 100
"""More than there will be: the run is interrupted."""
STEPS = 3
READINGS = 400
MOST_SECONDS_BETWEEN_READINGS = 5.0
MOST_SECONDS_BETWEEN_TROUBLES = 3.0
SWEEP_SECONDS = 30.0
OLD_SECONDS = 60.0
HANG_SECONDS = 120.0
"""A completion whose receive went wrong stays hidden for a minute, and all chains in flight may wait for theirs."""


class Soak:
    def __init__(
        self, stack: Stack, between: Proxies, folder: Path, seconds: float, seed: int, **variables: str
    ) -> None:
        """`variables` are for every program, and have them take orders."""
        self._seconds = seconds
        self._random = Random(seed)
        self._fleet = Fleet(stack, stack.clients(), folder)
        self._between = between
        self._variables = {"AWS_ENDPOINT_URL_S3": between.s3_url, "AWS_ENDPOINT_URL_SQS": between.sqs_url}
        if variables:
            self._variables |= {**Saboteur(folder).variables, **variables}
        self.figures = Figures()

    def play(self) -> None:
        """Raises PromiseBroken for the first promise that was."""
        try:
            worker = self._fleet.worker(**self._variables, EXECUTORS="3", VISIBILITY_TIMEOUT="5")
            flags = [
                f"--chains={max(1, round(self._seconds)) * CHAINS_PER_SECOND}",
                f"--steps={STEPS}",
                "--concurrency=4",
                "--max-attempts=50",
                "--stall-timeout=5",
            ]
            run = self._fleet.start(*flags, **{**self._variables, "PAYLOAD_MB": "0.001"})
            run.until("a sample", lambda so_far: so_far.samples)
            self._go_on(worker, run)
            self._end(worker, run)
        finally:
            self._fleet.close()

    def _go_on(self, worker: WorkerProgram, run: RunProgram) -> None:
        spared, *others = sorted(worker.executor_pids())
        assert others
        trouble = Trouble(self._between, self._fleet, worker, spared, self._random)
        trouble.results_queue_url = run.lines()[0]["plan"]["results_queue_url"]
        [path] = run.folder.glob("out/*")
        meter = Meter({"worker": worker.process.pid, "executor": spared, "orchestrator": run.process.pid})
        progress = _Progress(path)
        reading = min(MOST_SECONDS_BETWEEN_READINGS, self._seconds / READINGS)
        due = {"read": 0.0, "trouble": 0.0, "sweep": SWEEP_SECONDS}
        began = monotonic()
        while (now := monotonic() - began) < self._seconds:
            self._check(worker, run)
            progress.check()
            if now >= due["read"]:
                meter.read()
                due["read"] = now + reading
            if now >= due["trouble"]:
                trouble.make()
                due["trouble"] = now + self._random.uniform(0, min(MOST_SECONDS_BETWEEN_TROUBLES, self._seconds / 20))
            if now >= due["sweep"]:
                self._sweep()
                due["sweep"] = now + SWEEP_SECONDS
            sleep(0.01)
        self.figures.tried.update({"seconds": round(self._seconds), **trouble.made})
        self.figures.notes += meter.lines()

    def _check(self, worker: WorkerProgram, run: RunProgram) -> None:
        for program in (worker, run):
            if (code := program.process.poll()) is not None:
                raise PromiseBroken("other promises broken", f"a program ended with {code}:\n{program.stderr[-4000:]}")

    def _end(self, worker: WorkerProgram, run: RunProgram) -> None:
        run.send(signal.SIGINT)
        if (code := run.exit_code()) != 130:
            raise PromiseBroken("other promises broken", f"an interrupted run ended with {code}:\n{run.stderr}")
        worker.send(signal.SIGTERM)
        worker.until_logged("worker ends")
        worker.send(signal.SIGTERM)  # or it would wait for the end of its long poll
        if code := worker.exit_code():
            raise PromiseBroken("other promises broken", f"the worker ended with {code}:\n{worker.stderr[-4000:]}")
        judge_words(run.stderr)
        judge_words(worker.stderr)
        [path] = run.folder.glob("out/*")
        file = metrics_file.read(path)
        self.figures.tried.update(
            {"samples": len(file.samples), "failed attempts": len(file.failures), "chains": len(file.ends)}
        )
        for error in chain(_counted_once(file), _sums(file), _well_ended(file)):
            raise error

    def _sweep(self) -> None:
        """Payloads of a while ago, which no step will ask for any more: the emulator keeps them in its memory."""
        s3, bucket = self._fleet.clients.s3, self._fleet.bucket
        before = datetime.now(UTC) - timedelta(seconds=OLD_SECONDS)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            old = [
                {"Key": found["Key"]}
                for found in page.get("Contents", ())
                if found["LastModified"] < before and "/first" not in found["Key"]
            ]
            if old:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": old, "Quiet": True})  # type: ignore[typeddict-item] # keys are all it needs


class _Progress:
    """Notices when a metrics file grows no more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._at = monotonic()

    def check(self) -> None:
        """Raises PromiseBroken."""
        size_bytes = self._path.stat().st_size
        if size_bytes > self._bytes:
            self._bytes, self._at = size_bytes, monotonic()
        elif monotonic() - self._at > HANG_SECONDS:
            raise PromiseBroken("hangs", f"nothing came in for {HANG_SECONDS:g} s")


def _counted_once(file: MetricsFile) -> Iterator[PromiseBroken]:
    counts = Counter((sample.chain, sample.step) for sample in file.samples)
    yield from (
        PromiseBroken("samples counted twice", f"{step} has {count} samples")
        for step, count in counts.items()
        if count > 1
    )
    outputs = Counter(sample.output_uri for sample in file.samples)
    yield from (
        PromiseBroken("keys written twice", f"{count} samples have written {output}")
        for output, count in outputs.items()
        if count > 1
    )


def _sums(file: MetricsFile) -> Iterator[PromiseBroken]:
    """Of every step, and of every chain that ended, with all of its steps."""
    yield from (PromiseBroken("other promises broken", problem) for problem in audit(file))


def _well_ended(file: MetricsFile) -> Iterator[PromiseBroken]:
    yield from (
        PromiseBroken("samples lost", f"chain {number} failed") for number, end in file.ends.items() if not end.ok
    )
