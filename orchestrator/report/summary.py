"""What a report says, as numbers: the `summary` line of a metrics file and the object that `--json` prints.

Made by `orchestrator.report.statistics`, shown by `orchestrator.report.terminal`. Durations are integer nanoseconds,
sizes bytes, MB 10^6 bytes, shares and ratios plain fractions. Null: there is nothing to say it from; never NaN.
"""

from __future__ import annotations

from stepbench.samples import PHASES, Frozen

PARTS = (
    "turnaround",
    "retry",
    "queue_wait",
    "worker_wait",
    *PHASES,
    "other",
    "results_wait",
    "transit",
    "redelivery",
)
"""The parts of a chain's wall in the order in which a step meets them; those of a step that no clock of its own can
place come last."""

Choice = str | int | float


class Spread(Frozen):
    """p50 and p95 by linear interpolation between the two nearest values, and the largest value."""

    count: int
    p50: int
    p95: int
    max: int


class Part(Frozen):
    """One part of the step over all samples in the statistics."""

    duration_ns: Spread
    total_ns: int
    share: float | None
    """Of the wall: the sum of this part over the sum of turnaround, retry and total."""
    mb_per_second: float | None
    """Median over the samples; null for parts that move no bytes and where the duration says nothing about them."""
    cpu_share: float | None
    """CPU time over duration; above 1 where the executor computes on several cores. Null for what is no phase."""


class Counts(Frozen):
    """What was counted over everything in the files, not only over the samples in the statistics."""

    chains: int
    """Planned."""
    chains_ok: int
    chains_failed: int
    steps: int
    """Planned."""
    samples: int
    """Accepted steps; those of warm-up chains aside."""
    missing: int
    """Steps that are done and have no sample: it was lost with a machine, and the run went on from an older copy."""
    in_statistics: int
    cold: int
    late: int
    interrupted: int
    warmup: int
    retries: int
    """Attempts beyond the first, of steps that are in the samples or in the failures."""
    failures: int
    duplicates: int
    lost: int
    expired: int
    foreign: int
    unknown_lines: int
    torn_lines: int


class FailureGroup(Frozen):
    """Failed attempts with the same error class in the same phase."""

    error_class: str
    phase: str | None
    count: int
    message: str
    """Of the last of them."""


class Sizes(Frozen):
    """Object sizes on S3, sizes before compression, and what compression made of what went out."""

    bytes_in: Spread
    bytes_out: Spread
    serialized_bytes_in: Spread
    serialized_bytes_out: Spread
    compression_ratio: float | None
    """Sum of serialized bytes over sum of object bytes, of what went out; 2: half the size."""


class Transfers(Frozen):
    """All requests of one direction; null where the S3 client cannot tell."""

    requests: int | None
    retries: int | None
    connections_opened: int | None
    statuses: dict[str, int] | None


class Throttled(Frozen):
    """How often AWS asked to send less. What the SDK retried by itself is in no count of attempts."""

    s3_answers: int
    """503 and 429 to requests of the accepted steps, as far as the S3 client can tell."""
    sqs_answers: int
    """To the workers that published the accepted steps."""
    attempts: int
    """Failed because of it, after all tries of the SDK."""


class LeftInS3(Frozen):
    """What a run left in its bucket."""

    uri: str
    objects: int
    bytes: int


class Interrupted(Frozen):
    """A run whose orchestrator was told to end."""

    run_id: str
    file: str
    resumable: bool
    """False: its payloads ended with its own embedded stack."""


class Summary(Frozen):
    """Where the time went and everything around it, of one or several runs."""

    run_ids: tuple[str, ...]
    files: tuple[str, ...]
    copies: tuple[str, ...]
    """S3 URIs of the files' copies in their buckets, where they were asked for and the run has finished."""
    environments: tuple[str, ...]
    label: str
    """What the figures describe; belongs beside them wherever they are shown."""
    finished: bool
    interrupted: tuple[Interrupted, ...]
    """Those of the runs whose last word is that they were; one that was gone on with since is none of them."""
    to_retry: tuple[str, ...]
    """Files of finished runs with failed chains, to which `resume --retry-failed` gives new attempts."""
    choices: dict[str, tuple[Choice, ...]]
    """What ran, by setting (`serializer`, `compression`, …): one value each, several where the runs differ."""
    counts: Counts
    failures: tuple[FailureGroup, ...]
    cold_only: bool
    """Only first steps of executors were left, so the statistics are over those."""
    wall_ns: int | None
    """First dispatch to last completion; of several runs, or of a run that was resumed, the sum of its pieces."""
    chain_wall_ns: Spread | None
    """Over the chains that finished and were never interrupted."""
    steps_per_second: float | None
    step_ns: Spread | None
    """`total` of the samples in the statistics."""
    parts: dict[str, Part]
    """By the names in `PARTS`, in that order; empty where no sample is in the statistics."""
    orchestration_share: float | None
    """Of the wall: all that is neither a phase nor `other`."""
    sizes: Sizes | None
    peak_rss_bytes: Spread | None
    s3: dict[str, Transfers]
    """`get` and `put`."""
    sqs_round_trip_ns: Spread | None = None
    """From the orchestrator to SQS and back, before the runs; part of every transit."""
    throttled: Throttled
    left_in_s3: tuple[LeftInS3, ...]
    warnings: tuple[str, ...]
    """A sentence for each figure that is doubtful, with what to try."""
