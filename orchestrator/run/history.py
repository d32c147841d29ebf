"""What a metrics file tells of a run's past, as the state machine takes it up.

The lines are read in their order, each for what it meant when it was written: the orchestrator that wrote it did next
what followed from it, or died before that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.run.chain import Past
from orchestrator.run.lines import Event, Failure, Line
from stepbench.messages import PayloadRef
from stepbench.samples import Sample

BEFORE_ANY_RESUME = 1


@dataclass(frozen=True)
class History:
    """What to go on from."""

    first_payload: PayloadRef | None
    """Null: the run died before its first payload was uploaded, so nothing was ever sent."""
    epoch: int
    """That of the newest incarnation that these lines know."""
    chains: tuple[Past, ...]
    """Those that had begun."""


@dataclass(slots=True)
class _Chain:
    """What is known of one chain up to some line; see `Past`."""

    payload: PayloadRef
    step: int = 1
    attempt: int = 0
    retryable: bool | None = None
    ended: bool | None = None
    attempts_before: int = 0
    reopened: bool = False
    lost: frozenset[int] = frozenset()

    def announced(self, step: int, attempt: int) -> None:
        if self.ended is False:
            self.ended, self.attempts_before, self.reopened = None, attempt - 1, False
        self.step, self.attempt, self.retryable = step, attempt, None

    def answered(self, step: int, attempt: int, retryable: bool) -> None:
        if (step, attempt) == (self.step, self.attempt):
            self.retryable = retryable

    def given_up(self, step: int, attempt: int) -> None:
        self.answered(step, attempt, retryable=True)
        self.lost |= {attempt}

    def done(self, sample: Sample) -> None:
        self.step, self.attempt, self.retryable, self.attempts_before = sample.step + 1, 0, None, 0
        self.lost = frozenset()
        self.payload = output_of(sample)


def read(lines: Iterable[Line]) -> History:
    """`lines`: a metrics file's, in its order."""
    first_payload: PayloadRef | None = None
    epoch = BEFORE_ANY_RESUME
    chains: dict[int, _Chain] = {}
    for line in lines:
        if isinstance(line, Event) and line.event == "first_payload":
            first_payload = line.payload
        elif isinstance(line, Event) and line.event == "resumed":
            epoch = max(epoch, line.epoch or BEFORE_ANY_RESUME)
        elif isinstance(line, Event) and line.event == "duplicate":
            continue  # about what came in, be it of a chain that never began or that the run does not have
        elif first_payload is not None and (number := getattr(line, "chain", None)) is not None:
            _tell(chains.setdefault(number, _Chain(first_payload)), line)
    return History(first_payload, epoch, tuple(_past(number, chain) for number, chain in chains.items()))


def next_epoch(*known: int, now_seconds: float) -> int:
    """The epoch of an incarnation that begins now, after those that are `known`.

    An older copy of the metrics file may not know the newest one. So it is the time: larger than any that ever was.
    """
    return max(*(epoch + 1 for epoch in known), epoch_at(now_seconds))


def epoch_at(unix_seconds: float) -> int:
    """In microseconds, so that no two that begin in the same second have the same."""
    return int(unix_seconds * 1e6)


def output_of(sample: Sample) -> PayloadRef:
    """The payload that a step wrote."""
    return PayloadRef(
        uri=sample.output_uri,
        object_bytes=sample.bytes_out,
        serialized_bytes=sample.serialized_bytes_out,
        checksum=sample.checksum_out,
        serializer=sample.serializer,
        compression=sample.compression,
    )


def _tell(chain: _Chain, line: Line) -> None:
    match line:
        case Event(event="dispatching", step=int(step), attempt=int(attempt)):
            chain.announced(step, attempt)
        case Event(event="lost", step=int(step), attempt=int(attempt)):
            chain.given_up(step, attempt)
        case Event(event="chain_finished", ok=bool(ok)):
            chain.ended, chain.reopened = ok, False
        case Event(event="reopened"):
            chain.reopened = True
        case Failure(step=step, attempt=attempt, retryable=retryable):
            chain.answered(step, attempt, retryable)
        case Sample():
            chain.done(line)


def _past(number: int, chain: _Chain) -> Past:
    return Past(
        chain=number,
        step=chain.step,
        payload=chain.payload,
        attempt=chain.attempt,
        retryable=chain.retryable,
        ended=chain.ended,
        attempts_before=chain.attempts_before,
        reopened=chain.reopened,
        lost=chain.lost,
    )
