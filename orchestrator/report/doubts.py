"""Says when a figure is doubtful, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from orchestrator.report import likeness
from orchestrator.report.audit import audit, missing, wall_ns
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.summary import Choice, Counts, Transfers
from orchestrator.report.units import percent
from orchestrator.run import round_trip
from stepbench.samples import Sample

LOWEST_HONEST_TRANSIT_NS = -2_000_000
"""SQS stamps whole milliseconds, two of them for each of the two queue waits."""
FEW_SAMPLES = 20
"""Below this many samples, p95 lies between the two largest of them."""
AUDIT_SENTENCES = 5
SHARE_OF_WAITING_THAT_MATTERS = 0.1
"""Of the wall, in queue wait and worker wait together; an executor that is free takes a step within milliseconds."""


def doubts(
    files: Sequence[MetricsFile],
    used: Sequence[Sample],
    counts: Counts,
    s3: dict[str, Transfers],
    choices: dict[str, tuple[Choice, ...]],
    *,
    cold_only: bool,
) -> Iterator[str]:
    """One sentence for each doubt about the statistics over `used` samples, the gravest first."""
    yield from _about_sums(files)
    yield from _about_files(files)
    yield from _about_mixture(files, choices)
    yield from _about_number(used, cold_only=cold_only)
    yield from _about_executors(files, used)
    yield from _about_transit(used)
    yield from _about_distance(files, used)
    yield from _about_counts(files, counts)
    yield from _about_s3(s3)


def plural(count: int, noun: str) -> str:
    """`1 step`, `2 steps`, `3 retries`, `2 classes`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith(('s', 'ch')) else 's'}"


def _about_files(files: Sequence[MetricsFile]) -> Iterator[str]:
    for file in files:
        if lost := missing(file):
            yield (
                f"{plural(lost, 'sample')} of {file.path} {'is' if lost == 1 else 'are'} missing: the run was gone on "
                "with from an older copy, and the lines since then were lost with their machine."
            )
        if file.torn_line:
            yield f"The last line of {file.path} is torn, as a crash leaves it; it is left out."
        if file.unknown_lines:
            yield (
                f"{plural(file.unknown_lines, 'line')} of {file.path} are of kinds that this version does not know and "
                "left out; a newer version wrote them."
            )


def _about_mixture(files: Sequence[MetricsFile], choices: dict[str, tuple[Choice, ...]]) -> Iterator[str]:
    if len({file.run.environment for file in files}) > 1:
        yield "These figures mix runs on the embedded stack with runs on AWS; report them apart to compare them."
    mixed = dict.fromkeys(name for name, values in choices.items() if len(values) > 1)
    mixed |= dict.fromkeys(name for name in likeness.differing(files) if name != "environment")
    if mixed:
        names = ", ".join(name.replace("_", " ") for name in mixed)
        yield f"The samples differ in {names}: these figures are over all of them together."
    yield from likeness.unlike(files)


def _about_number(used: Sequence[Sample], *, cold_only: bool) -> Iterator[str]:
    if cold_only:
        yield (
            "Every step was the first of its executor, so these figures include its first-time costs; "
            "try --warmup 1, or more --steps."
        )
    if 0 < len(used) < FEW_SAMPLES:
        yield (
            f"{plural(len(used), 'sample')}: too few for p95, which is all but the maximum; try more --steps or "
            f"--chains, for {FEW_SAMPLES} or more."
        )


def _about_executors(files: Sequence[MetricsFile], used: Sequence[Sample]) -> Iterator[str]:
    """More chains in flight than executors wait for one another, which is no cost of orchestration."""
    for file in files:
        executors = len({sample.executor for sample in (*file.samples, *file.warmups)})
        in_flight = file.run.plan.concurrency
        by_function = file.run.plan.lambda_function is not None
        waiting = _share_of_waiting([s for s in used if s.run_id == file.run.run_id], by_function=by_function)
        if by_function:
            if waiting >= SHARE_OF_WAITING_THAT_MATTERS:
                yield (
                    f"{plural(in_flight, 'chain')} in flight were done in {plural(executors, 'environment')} of the "
                    f"Lambda function, and {percent(waiting)} of the wall is transit: waiting for room in it and for "
                    "cold starts, more than for the network; try --warmup 1, a higher reserved concurrency of the "
                    "function, or a lower --concurrency."
                )
        elif in_flight > executors and waiting >= SHARE_OF_WAITING_THAT_MATTERS:
            queued = file.run.plan.steps_queue_url is not None
            waits, more = ("queue wait and worker wait", " or workers") if queued else ("worker wait", "")
            yield (
                f"{plural(in_flight, 'chain')} in flight shared {plural(executors, 'executor')}, so most of {waits}, "
                f"{percent(waiting)} of the wall, is waiting for a free one; try more --executors{more}, "
                f"or --concurrency {executors}."
            )


def _share_of_waiting(samples: Sequence[Sample], *, by_function: bool) -> float:
    """Queue wait and worker wait over the wall, of a function its transit; 0 for no samples."""
    whole_ns = wall_ns(samples)
    waited_ns = sum((s.transit_ns or 0) if by_function else (s.queue_wait_ns or 0) + s.worker_wait_ns for s in samples)
    return waited_ns / whole_ns if whole_ns > 0 else 0.0


def _about_transit(used: Sequence[Sample]) -> Iterator[str]:
    below = [sample for sample in used if (sample.transit_ns or 0) < LOWEST_HONEST_TRANSIT_NS]
    if below:
        worst = min(below, key=lambda sample: sample.transit_ns or 0)
        yield (
            f"Transit is below -2 ms in {plural(len(below), 'sample')}, down to {(worst.transit_ns or 0) / 1e6:.1f} ms "
            f"in chain {worst.chain} step {worst.step}: a clock was stepped, or this program measures wrongly; "
            "check the hosts' clocks and run again."
        )


def _about_distance(files: Sequence[MetricsFile], used: Sequence[Sample]) -> Iterator[str]:
    """A round trip from the orchestrator to SQS is in each transit: half in the send, half in the receive."""
    for file in files:
        walls_ns = [wall_ns([sample]) for sample in used if sample.run_id == file.run.run_id]
        if file.run.environment == "embedded" or not round_trip.is_far(file.run.sqs_round_trips_ns) or not walls_ns:
            continue  # a slow emulator on this machine is no distance
        trip_ns = median(file.run.sqs_round_trips_ns)
        share = trip_ns / max(median(walls_ns), 1)
        if share >= round_trip.SHARE_THAT_MATTERS:
            yield (
                f"SQS was {trip_ns / 1e6:.0f} ms away from the orchestrator, there and back. That is in every step's "
                f"transit, and {percent(min(share, 1.0))} of a typical step: more about the distance than about the "
                f"pipeline. {round_trip.MEND}."
            )


def _about_counts(files: Sequence[MetricsFile], counts: Counts) -> Iterator[str]:
    if any(sample.attempt > 1 for file in files for sample in file.samples):
        yield (
            f"{plural(counts.retries, 'retry')}: the time up to the accepted attempt is shown as retry and is part of "
            "the chains' walls; compare with a run that has none."
        )
    if counts.late:
        yield (
            f"{plural(counts.late, 'late sample')} came after the step had been given up as lost and are left out; "
            "try a longer --stall-timeout."
        )
    if counts.interrupted:
        yield (
            f"{plural(counts.interrupted, 'sample')} without a total left out: the orchestrator was down while "
            f"{'its step was' if counts.interrupted == 1 else 'their steps were'} in flight."
        )


def _about_s3(s3: dict[str, Transfers]) -> Iterator[str]:
    retried = {name: transfers.retries for name, transfers in s3.items() if transfers.retries}
    if retried:
        parts = " and ".join(plural(count, f"{name.upper()} retry") for name, count in retried.items())
        yield (
            f"The S3 client retried inside the phases ({parts}), so download or upload include waiting; look at the "
            "statuses, and try a lower --concurrency if S3 asked to slow down (503)."
        )


def _about_sums(files: Sequence[MetricsFile]) -> Iterator[str]:
    problems = [problem for file in files for problem in audit(file)]
    for problem in problems[:AUDIT_SENTENCES]:
        yield f"The figures do not add up: {problem}."
    if len(problems) > AUDIT_SENTENCES:
        yield f"The figures do not add up in {len(problems) - AUDIT_SENTENCES} more places."
