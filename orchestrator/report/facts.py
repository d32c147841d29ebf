"""What stands below the table of a summary, as pairs of a name and a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.report import units
from orchestrator.report.doubts import plural
from orchestrator.report.summary import Spread, Summary, Transfers

OF_QUEUES = ("queue_wait", "results_wait", "redelivery")
LONGEST_MESSAGE = 240
"""The metrics file and `--json` have it whole."""


def of(summary: Summary) -> Iterator[tuple[str, str]]:
    """Everything there is to tell, in the order in which it is read."""
    yield from _of_runs(summary)
    if summary.sizes:
        yield "Objects", _objects(summary)
    if summary.peak_rss_bytes:
        yield "Memory", f"executor peak {units.size(summary.peak_rss_bytes.max)}"
    for name, transfers in summary.s3.items():
        if transfers.requests is not None:
            yield f"S3 {name.upper()}", _transfers(transfers)
    if trip := summary.sqs_round_trip_ns:
        yield "Round trip", f"to SQS {units.duration(trip.p50)}, up to {units.duration(trip.max)}, before the run"
    yield "Trouble", _trouble(summary)
    if throttled := _throttled(summary):
        yield "Throttled", throttled
    for group in summary.failures:
        where = f" in {group.phase}" if group.phase else ""
        which = ", the last" if group.count > 1 else ""
        message = units.shortened(group.message, LONGEST_MESSAGE)
        yield "Failed", f"{group.count} x {group.error_class}{where}{which}: {message}"


def _of_runs(summary: Summary) -> Iterator[tuple[str, str]]:
    yield ("Run", "Runs")[len(summary.run_ids) > 1], ", ".join(summary.run_ids)
    if absent := _absent(summary):
        yield "Channel", absent
    yield "Steps", _steps(summary)
    yield "Chains", _chains(summary)


def left_in_s3(summary: Summary) -> Iterator[tuple[str, str]]:
    """What is still in the bucket; its URI is there to be copied, so these are not to be wrapped."""
    for left in summary.left_in_s3:
        what = f"{plural(left.objects, 'object')}, {units.size(left.bytes)}, below {left.uri}"
        yield "Left in S3", what if left.objects else "nothing"


def setup(summary: Summary) -> str:
    """What ran, in a few words: `2 chains of 3 steps, 50 MB json, compression none, boto3`."""
    choices = {name: " and ".join(_number(value) for value in values) for name, values in summary.choices.items()}
    steps = "1 step" if choices["steps"] == "1" else f"{choices['steps']} steps"
    payload = choices.get("payload_file") or f"{choices['payload_mb']} MB"
    parts = [
        f"{plural(summary.counts.chains, 'chain')} of {steps}",
        f"{payload} {choices['serializer']}",
        f"compression {choices['compression']}",
        choices["s3_client"],
    ]
    for name, unremarkable in (("transform", "noop"), ("materialize", "native"), ("channel", "sqs")):
        if choices[name] != unremarkable:
            parts.append(f"{name} {choices[name]}")
    return ", ".join(parts)


def _number(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value


def _chains(summary: Summary) -> str:
    counts, wall = summary.counts, summary.chain_wall_ns
    failed = f", {counts.chains_failed} failed" if counts.chains_failed else ""
    done = f"{counts.chains_ok} of {counts.chains} done{failed}"
    return f"{done}; wall {_spread(wall)}" if wall else done


def _spread(wall: Spread) -> str:
    if wall.count == 1:
        return units.duration(wall.max)
    return f"p50 {units.duration(wall.p50)}, p95 {units.duration(wall.p95)}, max {units.duration(wall.max)}"


def _absent(summary: Summary) -> str | None:
    """What has no row in the table because the channel has no such part; null where all have one."""
    missing = [name.replace("_", " ") for name in OF_QUEUES if name not in summary.parts]
    if not summary.parts or not missing:
        return None
    channels = " and ".join(str(value) for value in summary.choices.get("channel", ()))
    return f"{channels}, which has no {', '.join(missing[:-1])}{' or ' if missing[1:] else ''}{missing[-1]}"


def _steps(summary: Summary) -> str:
    counts = summary.counts
    steps = f"{counts.samples + counts.missing} of {counts.steps} done"
    if counts.missing:
        steps += f" ({counts.missing} without a sample)"
    if summary.wall_ns is None or summary.steps_per_second is None:
        return steps
    return f"{steps} in {units.duration(summary.wall_ns)}, {units.rate(summary.steps_per_second)} steps/s"


def _objects(summary: Summary) -> str:
    sizes = summary.sizes
    if sizes is None:
        return ""
    moved = f"{_size(sizes.bytes_in)} in, {_size(sizes.bytes_out)} out"
    if sizes.compression_ratio is None or sizes.bytes_out == sizes.serialized_bytes_out:
        return f"{moved}, not compressed"
    return f"{moved}; {_size(sizes.serialized_bytes_out)} before compression, ratio {sizes.compression_ratio:.2f}"


def _size(sizes: Spread) -> str:
    median, largest = units.size(sizes.p50), units.size(sizes.max)
    return median if median == largest else f"{median} (max {largest})"


def _transfers(transfers: Transfers) -> str:
    parts = [plural(transfers.requests or 0, "request")]
    if transfers.statuses and any(not code.startswith("2") for code in transfers.statuses):
        parts.append("status " + " ".join(f"{code} x {number}" for code, number in sorted(transfers.statuses.items())))
    if transfers.retries is not None:
        parts.append(plural(transfers.retries, "retry") if transfers.retries else "no retries")
    if transfers.connections_opened is not None:
        parts.append(f"{plural(transfers.connections_opened, 'connection')} opened in the phases")
    return ", ".join(parts)


def _throttled(summary: Summary) -> str:
    told = summary.throttled
    answers = ((told.s3_answers, "of S3"), (told.sqs_answers, "of SQS to workers"))
    asked = [f"{plural(number, 'answer')} {whose}" for number, whose in answers if number]
    failed = [f"{plural(told.attempts, 'attempt')} failed because of it"] if told.attempts else []
    return ", ".join([*asked, *failed])


def _trouble(summary: Summary) -> str:
    counts = summary.counts
    happened = [
        plural(number, noun)
        for number, noun in (
            (counts.failures, "failed attempt"),
            (counts.retries, "retry"),
            (counts.duplicates, "duplicate"),
            (counts.lost, "lost step"),
            (counts.expired, "expired message"),
            (counts.foreign, "foreign completion"),
        )
        if number
    ]
    told = ", ".join(happened) or "no retries, no duplicates, no failures"
    if summary.counts.samples and any(transfers.retries is None for transfers in summary.s3.values()):
        told += f"; retries within S3 are not told by {' and '.join(map(str, summary.choices['s3_client']))}"
    return told
