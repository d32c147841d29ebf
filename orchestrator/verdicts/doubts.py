"""When a case's figures are to be distrusted, and what to try: a sentence each, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from orchestrator.verdicts import ENOUGH_ROUNDS
from orchestrator.verdicts.rounds import ByRound
from orchestrator.verdicts.shape import drift, levels
from stepbench.samples import Frozen

FEW_ROUNDS = 5
"""Below it, only differences of several times the spread between rounds are ever seen."""
SHORT = ("by the clock", "not yet")
LEVELS_THAT_MATTER = 0.03
"""Apart, as a share of the lower one."""
STEAL_THAT_MATTERS = 0.02
"""Of all cores' time."""
COLD_THAT_MATTERS = 0.05
WAITING_THAT_MATTERS = 0.1


Ended = Literal["as asked", "by the clock", "enough", "not yet"]
"""How it came to so many rounds; `by the clock` is --max-minutes, `enough` is --to-see or --until-stable."""


class Signals(Frozen):
    """What is known of a case's runs beside the figures. Null is not known, and raises no doubt."""

    rounds_asked: int | None = None
    ended: Ended = "as asked"
    failed_rounds: int | None = None
    retries: int | None = None
    """Steps that were accepted only at a later attempt, and transfers that the S3 client made again."""
    throttled: int | None = None
    """Answers of S3 or SQS that asked to send less."""
    steal_share: float | None = None
    """Of all cores' time: what the hypervisor gave to other guests."""
    cold_share: float | None = None
    """Of the steps that the figures are over: first ones of their executors."""
    waiting_share: float | None = None
    """Of the chains' walls: queue wait and worker wait."""
    in_flight: int | None = None
    executors: int | None = None


def doubts(values: ByRound, signals: Signals) -> tuple[str, ...]:
    """About one case and the quantity that it is judged by."""
    in_order = [values[number] for number in sorted(values)]
    return (
        *_about_number(len(in_order), signals),
        *_about_interference(signals),
        *_about_neighbours(signals),
        *_about_saturation(signals),
        *_about_cold(signals),
        *_about_shape(in_order),
    )


def of_load(load_1min: float, cores: int, own: int) -> str | None:
    """About all cases: `load_1min` of the machine that does the steps, of which the runs themselves make `own`."""
    if load_1min <= cores + own:
        return None
    return (
        f"This machine had other work beside the runs: a load average of {load_1min:.1f} on {cores} "
        f"core{'' if cores == 1 else 's'} (median of the runs), so that steps waited for a core. End what else runs "
        "here and measure again, or compare CPU times, which other work disturbs less."
    )


def _about_number(rounds: int, signals: Signals) -> Iterator[str]:
    if signals.failed_rounds:
        yield (
            f"It failed in {_rounds(signals.failed_rounds)}, which are left out: if it fails when it is slow, it looks "
            "faster than it is. Look at the failures in its metrics files."
        )
    asked, remedy = signals.rounds_asked, _more_rounds(signals)
    if rounds and rounds < FEW_ROUNDS:
        yield f"Too few rounds ({rounds}): only very large differences are seen.{remedy}"
    elif rounds and asked is not None and rounds < min(asked, ENOUGH_ROUNDS) and signals.ended in SHORT:
        yield f"Only {rounds} of {_rounds(asked)} were measured.{remedy}"


def _more_rounds(signals: Signals) -> str:
    """What would have made more of them; nothing where enough were run and some failed, which is told for itself."""
    if signals.ended == "not yet":
        return " Try compare --resume, which measures the others."
    if signals.ended == "by the clock":
        return " --max-minutes ended it: try more of them, fewer cases, or a smaller --payload-mb."
    if signals.rounds_asked is None or signals.rounds_asked < ENOUGH_ROUNDS:
        return f" Try --repeats {ENOUGH_ROUNDS}."
    return ""


def _about_interference(signals: Signals) -> Iterator[str]:
    if signals.throttled:
        yield (
            f"S3 or SQS asked {_times(signals.throttled)} to send less, so that its times are those of the limit and "
            "not of the case. Try a lower --concurrency, or spread the load over more prefixes."
        )
    if signals.retries:
        yield (
            f"{_retries(signals.retries)}: waiting is in its times that another run may not have. Look at the failures "
            "and the S3 statuses, and measure again when they are gone."
        )


def _about_neighbours(signals: Signals) -> Iterator[str]:
    if (signals.steal_share or 0) >= STEAL_THAT_MATTERS:
        yield (
            f"The hypervisor gave {_percent(signals.steal_share)} of this machine's processors to other guests "
            "(steal). Try an instance type without CPU credits, another time, or more --repeats."
        )


def _about_saturation(signals: Signals) -> Iterator[str]:
    """A closed loop sends the next step when the last one is done: it slows down with the fleet and hides the queue."""
    if (signals.waiting_share or 0) < WAITING_THAT_MATTERS:
        return
    yield (
        f"Steps waited for a free executor for {_percent(signals.waiting_share)} of the time"
        f"{_crowd(signals)}: the rate is the most that these executors do, and the step times hold the waiting. Try "
        "more --executors or workers, or a lower --concurrency."
    )


def _crowd(signals: Signals) -> str:
    if signals.in_flight is None or signals.executors is None:
        return ""
    return (
        f" ({signals.in_flight} chains in flight, {signals.executors} executor{'s' if signals.executors > 1 else ''})"
    )


def _about_cold(signals: Signals) -> Iterator[str]:
    if (signals.cold_share or 0) >= COLD_THAT_MATTERS:
        yield (
            f"{_percent(signals.cold_share)} of its steps were the first of their executors and hold first-time costs. "
            "Try --warmup 1, or more --steps."
        )


def _about_shape(in_order: Sequence[float]) -> Iterator[str]:
    share = drift(in_order)
    if share is not None:
        yield (
            f"It {'rose' if share > 0 else 'fell'} by {_percent(abs(share))} from the first round to the last. Ratios "
            "to the baseline stand that, as it drifts alike; the case's own median does not. Try a longer --warmup, or "
            "look for what changed on the machine."
        )
    found = levels(in_order)
    if found is not None and found.upper / found.lower - 1 >= LEVELS_THAT_MATTER:
        yield (
            f"Its rounds lie on two levels, {_percent(found.upper / found.lower - 1)} apart, {found.on_upper} of "
            f"{len(in_order)} on the upper one, and its median is one of them by chance. Look for what differs: the "
            "worker, its host, the processor's frequency."
        )


def _rounds(count: int) -> str:
    return f"{count} round{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _retries(count: int) -> str:
    return "1 retry" if count == 1 else f"{count} retries"


def _percent(share: float | None) -> str:
    return f"{(share or 0) * 100:.0f} %"
