"""How a run stands, in words: what the plain lines and the live view share."""

from __future__ import annotations

from orchestrator.report.doubts import plural
from orchestrator.report.pace import Pace, Progress
from orchestrator.report.units import clock, one_line, rate
from stepbench.settings import Settings


def counted(snapshot: Progress) -> str:
    """`3 of 10 chains, 17 of 50 steps`."""
    chains = f"{snapshot.chains_done} of {plural(snapshot.chains, 'chain')}"
    return f"{chains}, {snapshot.steps_done} of {plural(snapshot.steps, 'step')}"


def moving(snapshot: Progress, current: Pace, now_seconds: float) -> list[str]:
    """Rate, time left and steps in flight, as far as there is something to tell."""
    told = []
    if (standstill := snapshot.standstill_seconds(now_seconds)) is not None:
        told.append(f"nothing came for {clock(standstill)}")
    if current.steps_per_second is not None:
        told.append(f"{rate(current.steps_per_second)} steps/s")
    if current.seconds_left:
        told.append(f"{clock(current.seconds_left)} left")
    if snapshot.in_flight:
        told.append(f"{snapshot.in_flight} in flight")
    return told


SILENCE = (
    "no worker has answered for {silent}: is one running on this steps queue (ORCH_STEPS_QUEUE_URL), and what do its "
    "logs say (its policy may lack a right)? What a killed worker held comes back after its VISIBILITY_TIMEOUT "
    "({default} s if it was not set); `python -m orchestrator dead-letters` lists the steps that none could do. A "
    "fleet that starts from zero, or long steps, only take their time"
)

SILENCE_OF_FUNCTION = (
    "{function} has not answered for {silent}: what does its log say (its policy may lack a right), and has it room "
    "for one more (its reserved concurrency, and the account's)? `python -m orchestrator doctor --channel lambda` asks "
    "it. Cold starts and long steps only take their time"
)


def silence(snapshot: Progress, now_seconds: float) -> str | None:
    """What to look at when nothing comes back; None while that is not worth a warning."""
    silent_seconds = snapshot.silent_seconds(now_seconds)
    if silent_seconds is None:
        return None
    if snapshot.function is not None:
        return SILENCE_OF_FUNCTION.format(silent=clock(silent_seconds), function=snapshot.function)
    default = Settings.model_fields["visibility_timeout_seconds"].default
    return SILENCE.format(silent=clock(silent_seconds), default=default)


def news(snapshot: Progress) -> list[str]:
    """What went wrong or is waited for; empty for a run that goes as it should."""
    counts = (
        (snapshot.chains_failed, "failed chain"),
        (snapshot.failures, "failed attempt"),
        (snapshot.lost, "lost step"),
        (snapshot.retries, "retry"),
        (snapshot.duplicates, "duplicate"),
    )
    told = [plural(number, noun) for number, noun in counts if number]
    if snapshot.last_error:
        told.append(f"last error: {one_line(snapshot.last_error)}")
    if snapshot.waiting_note:
        told.append(one_line(snapshot.waiting_note))
    return told


def plain_line(snapshot: Progress, current: Pace) -> str:
    """The whole state in one line."""
    warning = silence(snapshot, snapshot.elapsed_seconds)
    return "; ".join(
        [
            f"{clock(snapshot.elapsed_seconds)}: {counted(snapshot)}",
            *moving(snapshot, current, snapshot.elapsed_seconds),
            *news(snapshot),
            *([warning] if warning else []),
        ]
    )
