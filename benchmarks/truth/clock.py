"""Against independent clocks: how long a transfer took, as a TCP proxy and as the kernel saw it, and as its phase says."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._processes import with_descendants
from benchmarks._stack import emulators, ended_well, running, scratch, surroundings, worker
from benchmarks.truth import Row
from benchmarks.truth._shifts import interval
from benchmarks.truth._spans import Way, spans
from benchmarks.truth._strace import marks, watched
from benchmarks.truth._tap import tap
from orchestrator.local.stack import Stack
from stepbench.s3_uris import bucket_and_key

STEPS = 30
PAYLOAD_MB = 50
LIMIT = 0.05
WAYS: tuple[Way, ...] = ("download", "upload")
NOTES = (
    f"One chain of steps of {PAYLOAD_MB} MB raw: {PAYLOAD_MB} MB each way, in parts, over several connections at once.",
    "A transfer is from the first byte of its first request until the last byte of its last reply. The proxy hands on",
    "bytes and knows no HTTP; strace stamps sendto and recvfrom of the executor's threads. Medians of the ratios of single",
    "transfers [95 % interval, sign test].",
)
Spans = Mapping[tuple[Way, str], int]


@dataclass(frozen=True)
class Seen:
    """The same transfers, by each clock; null where nobody looked."""

    samples: Sequence[Mapping[str, Any]]
    proxy: Spans
    kernel: Spans | None


def run(rounds: int | None) -> list[Row]:
    """`rounds`: steps."""
    seen = _seen(rounds or STEPS)
    return [row for way in WAYS for row in _rows(way, seen)]


def _rows(way: Way, seen: Seen) -> Iterator[Row]:
    yield row(way, "a TCP proxy", seen.samples, seen.proxy)
    if seen.kernel is None:
        yield Row(f"{way}, by strace", "there is no strace here, or it may not look")
    else:
        yield row(way, "strace", seen.samples, seen.kernel)


def row(way: Way, clock: str, samples: Sequence[Mapping[str, Any]], found: Spans) -> Row:
    """Raises KeyError for a transfer that the clock has not seen."""
    clock_ns = [found[way, _key(sample, way)] for sample in samples]
    phases_ns = [int(sample["phases_ns"][way]) for sample in samples]
    ratios = [phase / other for phase, other in zip(phases_ns, clock_ns, strict=True)]
    low, high = interval(ratios)
    figure = (
        f"phase {median(phases_ns) / 1e6:.1f} ms, clock {median(clock_ns) / 1e6:.1f} ms; "
        f"{median(ratios):.3f} times [{low:.3f}, {high:.3f}] in {len(ratios)} transfers"
    )
    return Row(f"{way}, by {clock}", figure, f"within {LIMIT:.0%}", abs(median(ratios) - 1) <= LIMIT)


def _key(sample: Mapping[str, Any], way: Way) -> str:
    return bucket_and_key(sample["input_uri" if way == "download" else "output_uri"])[1]


def _seen(steps: int) -> Seen:
    with ExitStack() as block:
        folder, stack = block.enter_context(scratch()), block.enter_context(emulators())
        assert stack.settings.s3_endpoint_url is not None
        tapped = block.enter_context(tap(stack.settings.s3_endpoint_url))
        there = replace(stack, environment=stack.environment | {"AWS_ENDPOINT_URL_S3": tapped.url})
        process = block.enter_context(worker(there, executors=1))
        [executor] = with_descendants(process.pid)[1:]
        with watched(executor, folder) as told:
            _start(stack, folder, steps)
        kernel = None
        if told is not None:
            with told.open(encoding="latin-1") as lines:
                kernel = spans(marks(lines))
        return Seen(_samples(folder), spans(tapped.marks), kernel)


def _start(stack: Stack, folder: Path, steps: int) -> None:
    command = [sys.executable, "-P", "-m", "orchestrator", "start", "--quiet", f"--metrics-dir={folder}"]
    command += ["--chains=1", f"--steps={steps}", "--warmup=2", "--serializer=raw", f"--payload-mb={PAYLOAD_MB}"]
    command += ["--metrics-sync-seconds=0"]
    with (
        (folder / "stderr").open("wb") as log,
        running(command, surroundings(stack), folder=folder, stderr=log) as process,
    ):
        ended_well(process, "the orchestrator", folder / "stderr")


def _samples(folder: Path) -> list[Mapping[str, Any]]:
    [file] = folder.glob("metrics-*.jsonl")
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    return [line for line in lines if line["kind"] == "sample"]
