"""Against independent clocks: how long transfers took, as a TCP proxy and as the kernel saw it, and as phases say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from textwrap import wrap

from benchmarks._arms import empty_bucket
from benchmarks._stack import emulators, scratch, worker
from benchmarks.truth import Row
from benchmarks.truth._runs import Line, Lines, lines_of_run, samples
from benchmarks.truth._shifts import interval
from benchmarks.truth._spans import Way, spans
from benchmarks.truth._strace import command, marks
from benchmarks.truth._tap import tap
from orchestrator.local.stack import Stack
from stepbench.s3_uris import bucket_and_key

STEPS = 15
PAYLOAD_MB = 100
LIMIT = 0.05
WAYS: tuple[Way, ...] = ("download", "upload")
ONE_CONNECTION = {"S3_PART_CONCURRENCY": "1", "S3_PART_MB": "7"}
"""What is still in the kernel's buffers, a proxy takes for arrived: here that is the last part at most, of 2 MB."""
NOTES = wrap(
    f"Steps of {PAYLOAD_MB} MB raw. A transfer is from the first byte of its first request until the last byte of its "
    "last reply. The proxy hands on bytes and knows no HTTP; strace stamps sendto and recvfrom of all threads. Parts "
    "go over several connections, as by default, where strace looks; over one, where the proxy does. Medians of the "
    "ratios of single transfers [95 % interval, sign test].",
    width=118,
)
Spans = Mapping[tuple[Way, str], int]


def run(rounds: int | None) -> list[Row]:
    """`rounds`: steps."""
    steps = rounds or STEPS
    with emulators() as stack:
        return [*_by_proxy(stack, steps), *_by_strace(stack, steps)]


def row(way: Way, clock: str, steps: Lines, found: Spans) -> Row:
    """Raises KeyError for a transfer that the clock has not seen."""
    clock_ns = [found[way, _key(sample, way)] for sample in steps]
    phases_ns = [int(sample["phases_ns"][way]) for sample in steps]
    ratios = [phase / other for phase, other in zip(phases_ns, clock_ns, strict=True)]
    low, high = interval(ratios)
    figure = (
        f"phase {median(phases_ns) / 1e6:.1f} ms, clock {median(clock_ns) / 1e6:.1f} ms; "
        f"{median(ratios):.3f} times [{low:.3f}, {high:.3f}] in {len(ratios)} transfers"
    )
    return Row(f"{way}, by {clock}", figure, f"within {LIMIT:.0%}", abs(median(ratios) - 1) <= LIMIT)


def _by_proxy(stack: Stack, steps: int) -> list[Row]:
    assert stack.settings.s3_endpoint_url is not None
    with tap(stack.settings.s3_endpoint_url) as tapped:
        here = {"AWS_ENDPOINT_URL_S3": tapped.url}
        there = replace(stack, environment=stack.environment | here | ONE_CONNECTION)
        with worker(there, executors=1):
            done = _run(stack, steps)
    found = spans(tapped.marks)
    return [row(way, "a TCP proxy", done, found) for way in WAYS]


def _by_strace(stack: Stack, steps: int) -> list[Row]:
    with scratch() as folder:
        told = folder / "strace"
        under = command(told)
        if under is None:
            return [Row(f"{way}, by strace", "there is no strace here, or it may not look") for way in WAYS]
        with worker(stack, executors=1, under=under):
            done = _run(stack, steps)
        with told.open(encoding="latin-1") as lines:
            found = spans(marks(lines))
    return [row(way, "strace", done, found) for way in WAYS]


def _run(stack: Stack, steps: int) -> Lines:
    """Samples of one chain."""
    flags = (f"--steps={steps}", "--warmup=2", "--serializer=raw", f"--payload-mb={PAYLOAD_MB}")
    lines = lines_of_run(stack, *flags)
    empty_bucket(stack)
    return samples(lines)


def _key(sample: Line, way: Way) -> str:
    return bucket_and_key(sample["input_uri" if way == "download" else "output_uri"])[1]
