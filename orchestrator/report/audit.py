"""Proves that nothing is missing from the figures: every wall is added up again from its parts and from raw stamps.

Four sums, all exact in integer nanoseconds:

* an executor's phases and its `other` are what lies between its two stamps, `begun_at` and `done_at`;
* a step's parts are its `total`, and so are its two stamps, `completed_at` less `dispatched_at`;
* `turnaround + retry` is what lies between the completion before and the dispatch of the accepted attempt;
* Σ(turnaround + retry + total) of a chain is the wall that its `chain_finished` event tells, and that is the last
  completion less the first dispatch.

Where the orchestrator was down in between, there is nothing to add up (`interrupted`, null).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from orchestrator.report.metrics_file import MetricsFile
from orchestrator.run.lines import Event
from stepbench.samples import Sample


def audit(file: MetricsFile) -> list[str]:
    """A sentence for each sum that does not come out, naming chain and step; empty where all do."""
    chains = _by_chain(file.samples)
    found = [problem for samples in chains.values() for problem in _steps(samples)]
    lags = _lags(file)
    for chain, end in file.ends.items():
        if end.ok and not (lags and end.wall_ns is None):
            found += _chain(end, chains.get(chain, []), file.run.plan.steps)
    return found


def missing(file: MetricsFile) -> int:
    """Samples that a run has lost which went on from an older copy of its file: those of chains that are done."""
    if not _lags(file):
        return 0
    done = {chain for chain, end in file.ends.items() if end.ok}
    return len(done) * file.run.plan.steps - sum(sample.chain in done for sample in file.samples)


def _lags(file: MetricsFile) -> bool:
    """It may have been gone on with from a copy that lacked its newest lines."""
    return any(event.event == "resumed" for event in file.events)


def parts_of_total(sample: Sample) -> dict[str, int | None]:
    """The parts that make up `total`, by their names in a report."""
    phases: dict[str, int | None] = dict(sample.phases_ns.items())
    return {
        "queue_wait": sample.queue_wait_ns,
        "worker_wait": sample.worker_wait_ns,
        **phases,
        "other": sample.other_ns,
        "results_wait": sample.results_wait_ns,
        "transit": sample.transit_ns,
        "redelivery": sample.redelivery_ns,
    }


def parts_of_wall(sample: Sample) -> dict[str, int | None]:
    """The parts that make up a chain's wall, by their names in a report; null in an interrupted step."""
    return {"turnaround": sample.turnaround_ns, "retry": sample.retry_ns, **parts_of_total(sample)}


def wall_ns(samples: Iterable[Sample]) -> int:
    """What `samples` are of their chains' walls: turnaround, retry and total of all of them, as far as known."""
    return sum((s.turnaround_ns or 0) + (s.retry_ns or 0) + (s.total_ns or 0) for s in samples)


def _by_chain(samples: Iterable[Sample]) -> dict[int, list[Sample]]:
    chains: dict[int, list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=lambda sample: (sample.chain, sample.step)):
        chains[sample.chain].append(sample)
    return chains


def _steps(samples: list[Sample]) -> Iterator[str]:
    before: Sample | None = None
    for sample in samples:
        yield from _execution(sample)
        yield from _total(sample)
        yield from _between(before, sample)
        before = sample


def _execution(sample: Sample) -> Iterator[str]:
    apart = sum(sample.phases_ns.values()) + sample.other_ns - (sample.done_at_ns - sample.begun_at_ns)
    if apart:
        yield (
            f"chain {sample.chain} step {sample.step}: its phases and other differ from its executor's stamps "
            f"by {apart} ns"
        )


def _total(sample: Sample) -> Iterator[str]:
    if sample.total_ns is None or sample.dispatched_at_ns is None:
        return
    apart = sum(part or 0 for part in parts_of_total(sample).values()) - sample.total_ns
    if apart:
        yield f"chain {sample.chain} step {sample.step}: its parts differ from its total by {apart} ns"
    apart = sample.completed_at_ns - sample.dispatched_at_ns - sample.total_ns
    if apart:
        yield f"chain {sample.chain} step {sample.step}: its stamps differ from its total by {apart} ns"


def _between(before: Sample | None, sample: Sample) -> Iterator[str]:
    """Turnaround and retry against the stamps; nothing to check against after a step that is not there."""
    if sample.dispatched_at_ns is None or sample.turnaround_ns is None or sample.retry_ns is None:
        return
    if sample.step == 1:
        apart = sample.turnaround_ns
    elif before is None or before.step != sample.step - 1 or before.interrupted:
        return
    else:
        told = sample.turnaround_ns + sample.retry_ns
        apart = told - (sample.dispatched_at_ns - before.completed_at_ns)
    if apart:
        yield (
            f"chain {sample.chain} step {sample.step}: its turnaround and retry differ from the stamps around them "
            f"by {apart} ns"
        )


def _chain(end: Event, samples: list[Sample], planned: int) -> Iterator[str]:
    steps = [sample.step for sample in samples]
    if steps != list(range(1, planned + 1)):
        yield f"chain {end.chain} is told to be done, but has samples of steps {steps or 'none'}, not of 1 to {planned}"
    elif end.wall_ns is not None:
        yield from _chain_wall(samples, end.wall_ns)


def _chain_wall(samples: list[Sample], wall_ns: int) -> Iterator[str]:
    first, last = samples[0], samples[-1]
    name = f"chain {first.chain} steps {first.step} to {last.step}"
    walls = [_wall(sample) for sample in samples]
    if first.dispatched_at_ns is None or first.retry_ns is None or None in walls:
        yield f"{name}: they have a wall, but step {samples[walls.index(None)].step} was interrupted"
        return
    apart = sum(wall or 0 for wall in walls) - wall_ns
    if apart:
        yield f"{name}: their turnaround, retry and total differ from the chain's wall by {apart} ns"
    apart = last.completed_at_ns - (first.dispatched_at_ns - first.retry_ns) - wall_ns
    if apart:
        yield f"{name}: their first dispatch and last completion differ from the chain's wall by {apart} ns"


def _wall(sample: Sample) -> int | None:
    if sample.turnaround_ns is None or sample.retry_ns is None or sample.total_ns is None:
        return None
    return sample.turnaround_ns + sample.retry_ns + sample.total_ns
