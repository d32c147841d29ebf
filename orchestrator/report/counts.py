"""Counts over everything in the files: chains, steps, attempts, failures and events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.report.audit import missing
from orchestrator.report.metrics_file import MetricsFile
from orchestrator.report.summary import Counts, FailureGroup, Throttled, Transfers
from stepbench.failures import is_throttling
from stepbench.samples import Sample

THROTTLED_STATUSES = ("503", "429")


def count(files: Sequence[MetricsFile], samples: Sequence[Sample], used: Sequence[Sample]) -> Counts:
    """Counts over all `files`, `samples` being all of theirs and `used` those in the statistics."""
    events = Counter(event.event for file in files for event in file.events)
    ended = Counter(end.ok for file in files for end in file.ends.values())
    return Counts(
        chains=sum(file.run.plan.chains for file in files),
        chains_ok=ended[True],
        chains_failed=ended[False],
        steps=sum(file.run.plan.chains * file.run.plan.steps for file in files),
        samples=len(samples),
        missing=sum(map(missing, files)),
        in_statistics=len(used),
        cold=sum(sample.cold for sample in samples),
        late=sum(sample.late for sample in samples),
        interrupted=sum(sample.interrupted for sample in samples),
        warmup=sum(len(file.warmups) for file in files),
        retries=sum(map(_retries, files)),
        failures=sum(len(file.failures) for file in files),
        duplicates=events["duplicate"],
        lost=events["lost"],
        expired=events["expired"],
        foreign=events["foreign"],
        unknown_lines=sum(file.unknown_lines for file in files),
        torn_lines=sum(file.torn_line for file in files),
    )


def _retries(file: MetricsFile) -> int:
    """Attempts beyond the first, as far as samples, failures and announced dispatches tell of them."""
    attempts: dict[tuple[int, int], int] = defaultdict(lambda: 1)
    known = [(sample.chain, sample.step, sample.attempt) for sample in file.samples]
    known += [(failure.chain, failure.step, failure.attempt) for failure in file.failures]
    # Not of other events: a duplicate tells what a completion says, and anybody can send one.
    dispatches = (event for event in file.events if event.event == "dispatching")
    known += [(e.chain, e.step, e.attempt or 1) for e in dispatches if e.chain is not None and e.step is not None]
    for chain, step, attempt in known:
        attempts[chain, step] = max(attempts[chain, step], attempt)
    return sum(highest - 1 for highest in attempts.values())


def throttled(files: Sequence[MetricsFile], s3: Mapping[str, Transfers]) -> Throttled:
    """Over all `files`; `s3` are their transfers."""
    statuses = [transfers.statuses or {} for transfers in s3.values()]
    steps = [sample for file in files for sample in (*file.samples, *file.warmups)]
    return Throttled(
        s3_answers=sum(found.get(status, 0) for found in statuses for status in THROTTLED_STATUSES),
        sqs_answers=sum(sample.sqs_throttled for sample in steps),
        attempts=sum(is_throttling(failure.error_class) for file in files for failure in file.failures),
    )


def failure_groups(files: Iterable[MetricsFile]) -> tuple[FailureGroup, ...]:
    """Failed attempts by error class and phase, the most frequent first."""
    alike: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for file in files:
        for failure in file.failures:
            alike[failure.error_class, failure.phase].append(failure.message)
    most_first = sorted(alike.items(), key=lambda item: -len(item[1]))
    return tuple(
        FailureGroup(error_class=error_class, phase=phase, count=len(messages), message=messages[-1])
        for (error_class, phase), messages in most_first
    )
