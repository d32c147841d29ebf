"""Metrics files → the `Summary`: which samples count, and what they say. Pure functions, no I/O.

In the statistics are the samples that are neither cold nor late nor interrupted; warm-up steps never are. Where only
cold ones are left, they are used and the summary says so. Counts, S3 facts and chain walls are over everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from orchestrator.report.audit import parts_of_wall, wall_ns
from orchestrator.report.counts import count, failure_groups, throttled
from orchestrator.report.doubts import doubts
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.percentiles import median_mb_per_second, spread, spread_or_none
from orchestrator.report.summary import PARTS, Choice, Interrupted, LeftInS3, Part, Sizes, Summary, Transfers
from orchestrator.run.plan import Plan
from stepbench.s3_uris import uri
from stepbench.samples import PHASES, S3Requests, Sample

BYTES_OF_PHASE: dict[str, Callable[[Sample], int]] = {
    "download": lambda sample: sample.bytes_in,
    "decompress": lambda sample: sample.serialized_bytes_in,
    "deserialize": lambda sample: sample.serialized_bytes_in,
    "transform": lambda sample: sample.serialized_bytes_in,
    "serialize": lambda sample: sample.serialized_bytes_out,
    "compress": lambda sample: sample.serialized_bytes_out,
    "checksum": lambda sample: sample.bytes_in + sample.bytes_out,
    "upload": lambda sample: sample.bytes_out,
}
"""What a phase works on, for its MB/s."""
LABELS = {
    "embedded": "Embedded stack: these figures describe this machine, not AWS.",
    "aws": "AWS, or an endpoint that speaks its protocols.",
}
MIXED_LABEL = "Embedded stack and AWS mixed: these figures describe neither."


def summarise(files: Sequence[MetricsFile], left_in_s3: Sequence[LeftInS3] | None = None) -> Summary:
    """One summary over all samples of all `files`.

    `left_in_s3` is what the caller counted at the end of a run; without it, what the files' own summary lines tell.
    """
    samples = [sample for file in files for sample in file.samples]
    used, cold_only = in_statistics(samples)
    counts = count(files, samples, used)
    s3 = {"get": _transfers(s.s3.get for s in samples), "put": _transfers(s.s3.put for s in samples)}
    choices = _choices(files, samples)
    wall_ns = run_wall_ns(files)
    environments = tuple(dict.fromkeys(file.run.environment for file in files))
    return Summary(
        run_ids=tuple(file.run.run_id for file in files),
        files=tuple(str(file.path) for file in files),
        copies=tuple(_copy(file.run.plan) for file in files if is_finished(file) and _is_copied(file)),
        environments=environments,
        label=LABELS[environments[0]] if len(environments) == 1 else MIXED_LABEL,
        finished=all(map(is_finished, files)),
        interrupted=tuple(_interrupted(files)),
        to_retry=tuple(str(file.path) for file in files if is_finished(file) and _has_failed(file) and _lasts(file)),
        choices=choices,
        counts=counts,
        failures=failure_groups(files),
        cold_only=cold_only,
        wall_ns=wall_ns,
        chain_wall_ns=spread_or_none(chain_walls_ns(files)),
        steps_per_second=round(len(samples) / wall_ns * 1e9, 6) if wall_ns else None,
        step_ns=spread_or_none(sample.total_ns for sample in used if sample.total_ns is not None),
        parts=(found := parts(used)),
        orchestration_share=orchestration_share(found),
        sizes=_sizes(used),
        peak_rss_bytes=spread_or_none(s.peak_rss_bytes for s in used if s.peak_rss_bytes is not None),
        s3=s3,
        sqs_round_trip_ns=spread_or_none(duration for file in files for duration in file.run.sqs_round_trips_ns),
        throttled=throttled(files, s3),
        left_in_s3=tuple(left_in_s3) if left_in_s3 is not None else _told_left(files),
        warnings=tuple(doubts(files, used, counts, s3, choices, cold_only=cold_only)),
    )


def _is_copied(file: MetricsFile) -> bool:
    return bool(file.run.settings.get("METRICS_TO_S3")) and _lasts(file)


def _copy(plan: Plan) -> str:
    return uri(plan.bucket, plan.metrics_key)


def is_finished(file: MetricsFile) -> bool:
    """All chains have ended, well or not; the summary line itself may be about to be written."""
    return file.summary is not None or len(file.ends) >= file.run.plan.chains


def in_statistics(samples: Iterable[Sample]) -> tuple[list[Sample], bool]:
    """The samples that the statistics are over, and whether only cold ones were left."""
    sound = [sample for sample in samples if not sample.late and not sample.interrupted and sample.total_ns is not None]
    warm = [sample for sample in sound if not sample.cold]
    return (warm, False) if warm else (sound, bool(sound))


def parts(samples: Sequence[Sample]) -> dict[str, Part]:
    """Every part over `samples`, none of them interrupted; empty for no samples."""
    if not samples:
        return {}
    durations: dict[str, list[int]] = defaultdict(list)
    for sample in samples:
        for name, duration_ns in parts_of_wall(sample).items():
            if duration_ns is not None:  # turnaround and retry of the first step after a resume
                durations[name].append(duration_ns)
    whole_ns = wall_ns(samples)
    return {name: _part(name, durations[name], samples, whole_ns) for name in PARTS if durations[name]}


def orchestration_share(found: dict[str, Part]) -> float | None:
    """The share of the wall that is not the executors' own work: queues, waits, turnaround, retries, transit."""
    known = [part.share for name, part in found.items() if name not in (*PHASES, "other") and part.share is not None]
    return round(sum(known), 9) if known else None


def chain_walls_ns(files: Iterable[MetricsFile]) -> list[int]:
    """Wall of every chain that finished all its steps, but warm-up chains and interrupted ones."""
    ends = [end for file in files for end in file.ends.values()]
    return [end.wall_ns for end in ends if end.ok and end.wall_ns is not None]


def run_wall_ns(files: Iterable[MetricsFile]) -> int | None:
    """First dispatch to last completion, summed over runs and over the pieces of a resumed run.

    A resumed run's stamps may be of another boot of another machine, so only those of one epoch are compared.
    """
    pieces: dict[tuple[str, int], list[int]] = defaultdict(list)
    for file in files:
        for sample in file.samples:
            if sample.dispatched_at_ns is not None:
                begun = sample.dispatched_at_ns - (sample.retry_ns or 0)
                pieces[file.run.run_id, sample.epoch] += [begun, sample.completed_at_ns]
    return sum(max(stamps) - min(stamps) for stamps in pieces.values()) if pieces else None


def _part(name: str, durations_ns: list[int], samples: Sequence[Sample], whole_ns: int) -> Part:
    total_ns = sum(durations_ns)
    cpu_ns = sum(duration for sample in samples for phase, duration in sample.cpu_ns.items() if phase == name)
    return Part(
        duration_ns=spread(durations_ns),
        total_ns=total_ns,
        share=round(total_ns / whole_ns, 9) if whole_ns > 0 else None,
        mb_per_second=_mb_per_second(name, samples),
        cpu_share=round(cpu_ns / total_ns, 6) if name in PHASES and total_ns > 0 else None,
    )


def _mb_per_second(name: str, samples: Sequence[Sample]) -> float | None:
    """Null for a part that moves no bytes. A phase may be missing from a sample that another program made."""
    moved = BYTES_OF_PHASE.get(name)
    if moved is None:
        return None
    return median_mb_per_second(
        (moved(sample), duration_ns)
        for sample in samples
        for phase, duration_ns in sample.phases_ns.items()
        if phase == name
    )


def _sizes(used: Sequence[Sample]) -> Sizes | None:
    if not used:
        return None
    stored, plain = sum(s.bytes_out for s in used), sum(s.serialized_bytes_out for s in used)
    return Sizes(
        bytes_in=spread(s.bytes_in for s in used),
        bytes_out=spread(s.bytes_out for s in used),
        serialized_bytes_in=spread(s.serialized_bytes_in for s in used),
        serialized_bytes_out=spread(s.serialized_bytes_out for s in used),
        compression_ratio=round(plain / stored, 6) if stored else None,
    )


def _transfers(all_requests: Iterable[S3Requests]) -> Transfers:
    given = list(all_requests)
    statuses = [requests.statuses for requests in given if requests.statuses is not None]
    return Transfers(
        requests=_sum_known(requests.requests for requests in given),
        retries=_sum_known(requests.retries for requests in given),
        connections_opened=_sum_known(requests.connections_opened for requests in given),
        statuses=dict(sum(map(Counter, statuses), Counter())) if statuses else None,
    )


def _sum_known(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _choices(files: Sequence[MetricsFile], samples: Sequence[Sample]) -> dict[str, tuple[Choice, ...]]:
    """What ran: of the samples where they tell (a client may be another one than was asked for), else of the plans."""
    plans = [file.run.plan for file in files]
    found: dict[str, list[Choice]] = {
        name: [getattr(holder, name) for holder in (samples or plans)]
        for name in ("serializer", "compression", "s3_client", "transform")
    }
    for name in ("materialize", "steps", "concurrency"):
        found[name] = [getattr(plan, name) for plan in plans]
    found["payload_mb"] = [plan.payload_mb for plan in plans if plan.payload_file is None]
    found["payload_file"] = [plan.payload_file for plan in plans if plan.payload_file is not None]
    return {name: tuple(dict.fromkeys(values)) for name, values in found.items() if values}


def _interrupted(files: Iterable[MetricsFile]) -> Iterator[Interrupted]:
    for file in files:
        if not is_finished(file) and file.events and file.events[-1].event == "interrupted":
            yield Interrupted(run_id=file.run.run_id, file=str(file.path), resumable=_lasts(file))


def _has_failed(file: MetricsFile) -> bool:
    return any(not end.ok for end in file.ends.values())


def _lasts(file: MetricsFile) -> bool:
    """Its payloads are in a bucket, and not in an embedded stack that went with it."""
    return file.run.settings.get("ORCH_BUCKET") is not None


def _told_left(files: Iterable[MetricsFile]) -> tuple[LeftInS3, ...]:
    told = [(file.summary.model_extra or {}).get("left_in_s3") or () for file in files if file.summary is not None]
    return tuple(LeftInS3.model_validate(left) for lefts in told for left in lefts)
