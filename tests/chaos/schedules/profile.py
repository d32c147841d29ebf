"""What kind of bad day a schedule is: drawn from its seed, so that no two are alike."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

NEVER = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """Sizes of the run, and how likely each trouble is. A chance is of one occasion, each time it arises."""

    chains: int
    steps: int
    concurrency: int
    warmup_steps: int
    max_attempts: int
    workers: int
    results_are_own: bool
    visibility_seconds: float
    stall_timeout_seconds: float
    turn_seconds: float
    """Mean of what passes between two actions of the fleet."""
    failure: float
    for_good: float
    """Of a failure, that it may not be tried again."""
    late: float
    twice: float
    lost_visibility: float
    stray: float
    false_silence: float
    """That a queue tells to be empty, which SQS's approximate counts may."""
    worker_death: float
    worker_deaths: int
    """At most, and so below: a schedule must come to an end."""
    orchestrator_death: float
    orchestrator_deaths: int
    older_copy: float
    """That a resume has only a copy of the metrics file that lags behind."""
    retry_failed: float


def draw(random: Random) -> Profile:
    def often(*chances: float) -> float:
        return random.choice(chances)

    return Profile(
        chains=random.randint(1, 4),
        steps=random.randint(1, 4),
        concurrency=random.randint(1, 3),
        warmup_steps=random.choice((0, 0, 1, 2)),
        max_attempts=random.randint(1, 3),
        workers=random.randint(1, 3),
        results_are_own=random.random() < 0.7,
        visibility_seconds=random.choice((10.0, 30.0, 120.0)),
        stall_timeout_seconds=random.choice((5.0, 60.0, 300.0)),
        turn_seconds=random.choice((0.01, 0.3, 2.0)),
        failure=often(NEVER, 0.1, 0.4),
        for_good=often(NEVER, 0.2),
        late=often(NEVER, 0.1, 0.5),
        twice=often(NEVER, 0.1, 0.4),
        lost_visibility=often(NEVER, 0.02, 0.2),
        stray=often(NEVER, 0.05, 0.2),
        false_silence=often(NEVER, 0.3),
        worker_death=often(NEVER, 0.02, 0.1),
        worker_deaths=12,
        orchestrator_death=often(NEVER, 0.02, 0.05, 0.2),
        orchestrator_deaths=8,
        older_copy=often(NEVER, NEVER, 0.4),
        retry_failed=often(NEVER, NEVER, 0.5),
    )
