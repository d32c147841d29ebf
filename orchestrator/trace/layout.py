"""The parts of one step one behind the other: what fills the time before an execution, within it and behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.trace.placing import Window
from stepbench.samples import PHASES, Sample

Named = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """One part as it is drawn, and how long it really was."""

    name: str
    begin_ns: int
    end_ns: int
    measured_ns: int

    @property
    def is_cut(self) -> bool:
        """There was no room for all of it: SQS's stamps are whole milliseconds."""
        return self.end_ns - self.begin_ns < self.measured_ns


def window_of(sample: Sample, dispatched_ns: int, completed_ns: int, *, transit_is_before: bool) -> Window:
    """Where the execution may lie between the two."""
    length_ns = min(max(0, sample.done_at_ns - sample.begun_at_ns), completed_ns - dispatched_ns)
    return Window(
        dispatched_ns=dispatched_ns,
        completed_ns=completed_ns,
        before_ns=sum(waited_ns for _, waited_ns in _before(sample)),
        behind_ns=sum(waited_ns for _, waited_ns in _behind(sample)),
        length_ns=length_ns,
        transit_is_before=transit_is_before,
    )


def before(sample: Sample, dispatched_ns: int, begun_ns: int) -> list[Piece]:
    """What is known ends where the execution begins; what is left at the front is transit."""
    pieces: list[Piece] = []
    end_ns = begun_ns
    for name, waited_ns in reversed(_before(sample)):
        begin_ns = max(dispatched_ns, end_ns - waited_ns)
        pieces.append(Piece(name, begin_ns, end_ns, waited_ns))
        end_ns = begin_ns
    pieces.append(Piece("transit to the worker", dispatched_ns, end_ns, end_ns - dispatched_ns))
    return [piece for piece in reversed(pieces) if piece.measured_ns]


def behind(sample: Sample, done_ns: int, completed_ns: int) -> list[Piece]:
    """What is known begins where the execution ends; what is left at the end is transit."""
    known = [*_behind(sample)]
    pieces = list(_one_behind_the_other(known, done_ns, completed_ns))
    left_from_ns = pieces[-1].end_ns if pieces else done_ns
    pieces.append(Piece("transit back", left_from_ns, completed_ns, completed_ns - left_from_ns))
    return [piece for piece in pieces if piece.measured_ns]


def within(sample: Sample, begun_ns: int, done_ns: int) -> list[Piece]:
    """The phases, each in one piece and in their usual order: the file has one sum of each. `other` comes last."""
    parts: list[Named] = [(name, sample.phases_ns[name]) for name in PHASES if sample.phases_ns.get(name)]
    parts += [("other", sample.other_ns)] if sample.other_ns > 0 else []
    return list(_one_behind_the_other(parts, begun_ns, done_ns))


def _one_behind_the_other(parts: Iterable[Named], begin_ns: int, limit_ns: int) -> Iterator[Piece]:
    for name, lasted_ns in parts:
        end_ns = min(begin_ns + lasted_ns, limit_ns)
        yield Piece(name, begin_ns, end_ns, lasted_ns)
        begin_ns = end_ns


def _before(sample: Sample) -> list[Named]:
    """The worker's wait is one figure for both of its halves, so it stands here as a whole."""
    first, _ = _redelivery(sample)
    return _positive(
        ("queue wait", sample.queue_wait_ns), ("redelivery", first), ("worker wait", sample.worker_wait_ns)
    )


def _behind(sample: Sample) -> list[Named]:
    _, second = _redelivery(sample)
    return _positive(("results wait", sample.results_wait_ns), ("redelivery of the completion", second))


def _redelivery(sample: Sample) -> tuple[int, int]:
    """That of the step message and that of the completion: half each where both came more than once."""
    whole_ns = sample.redelivery_ns or 0
    if (sample.results_receive_count or 1) <= 1:
        return whole_ns, 0
    return (whole_ns // 2, whole_ns - whole_ns // 2) if (sample.receive_count or 1) > 1 else (0, whole_ns)


def _positive(*parts: tuple[str, int | None]) -> list[Named]:
    """A wait that a channel cannot tell is null, and none is shorter than nothing."""
    return [(name, lasted_ns) for name, lasted_ns in parts if lasted_ns is not None and lasted_ns > 0]
