"""What an experiment says, as numbers: the object that `--json` prints, and that the terminal and the page show.

Made by `judging`. Null: there is nothing to say it from; never NaN.
"""

from __future__ import annotations

from typing import Any

from orchestrator.verdicts.comparison import Comparison
from orchestrator.verdicts.own_median import OwnMedian
from orchestrator.verdicts.ranking import Rank
from stepbench.samples import Frozen


class PartResult(Frozen):
    """One part of a case's steps, such as a phase."""

    median_ns: float
    """Over the rounds' medians."""
    against_baseline: Comparison | None
    """Corrected for the number of cases; null for the baseline itself."""


class CaseResult(Frozen):
    """One case beside the others."""

    name: str
    is_baseline: bool
    settings: dict[str, Any]
    """By variable, what not all cases have the same."""
    rounds: int
    """In which it was measured."""
    failed_runs: int
    left_out: bool
    """It failed so often that it was run no more."""
    error: str | None
    """Of its last failed run."""
    step_ns: OwnMedian
    """Over the rounds' medians."""
    against_baseline: Comparison | None
    """Of its step time, corrected for the number of cases; null for the baseline itself."""
    parts: dict[str, PartResult]
    """By the names of `report.summary.PARTS`, those that take a hundredth of its step or of the baseline's, or more."""
    is_floor: bool = False
    """It hands bytes on and decodes nothing, beside cases that carry records: it has no rank, and is on no front."""
    rank: Rank
    bytes_out: float | None
    """Of an object on S3."""
    cpu_ns: float | None
    """Of a step."""
    peak_rss_bytes: float | None
    """Null too where cases shared executors, whose heaps keep what an earlier case needed."""
    steps_per_second: float | None
    usd_per_1000_steps: float | None = None
    """S3's and SQS's part of it, without machines; of an embedded experiment, what AWS would bill for its requests."""
    on_front: bool
    """No other case is both as fast and as small."""
    doubts: tuple[str, ...]


class Result(Frozen):
    """All cases, the best first, and the answer in words."""

    experiment_id: str
    folder: str
    environment: str
    label: str
    finished: bool
    rounds: int
    """Measured by every case that was not left out."""
    repeats: int
    may_end_early: bool
    """`repeats` are what it has at most."""
    ended_by: str | None
    """Why it ended before all repeats were measured."""
    baseline: str
    answer: tuple[str, ...]
    cases: tuple[CaseResult, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
