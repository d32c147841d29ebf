"""Every place where the harness kills a program, by the stage of a run in which it is come by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

from stepbench.samples import PHASES

AT_RANDOM = "at a random instant"


@dataclass(frozen=True)
class Kill:
    """One death to be brought about."""

    point: str
    """`<program> <where>`: a point of `tests.runs.sabotage.points`, or AT_RANDOM."""
    what: str = "kill"
    leads_to: str | None = None
    """A point that is come by only after this death: another one there belongs to it."""

    @property
    def program(self) -> str:
        return self.point.split(" ", 1)[0]

    @property
    def is_at_random(self) -> bool:
        return self.point.endswith(AT_RANDOM)

    def __str__(self) -> str:
        return f"{self.point}, with its group" if self.what == "kill group" else self.point


def _written(*kinds: str) -> list[str]:
    return [f"{when} writing {kind}" for kind in kinds for when in ("before", "in", "after")]


def _called(*calls: str) -> list[str]:
    return [f"{when} {call}" for call in calls for when in ("before", "after")]


def _orchestrator(points: list[str]) -> list[Kill]:
    return [Kill(f"orchestrator {point}") for point in points]


def _worker(points: list[str]) -> list[Kill]:
    return [Kill(f"worker {point}", what) for what in ("kill", "kill group") for point in points]


def _executor(points: list[str]) -> list[Kill]:
    return [Kill(f"executor {point}") for point in points]


BEGINNING = [
    *_orchestrator(
        [
            *_written("run"),
            *_called("CreateQueue", "the upload of the first payload"),
            *_written("first_payload"),
        ]
    ),
    Kill("maker before PutObject"),
    Kill("maker after PutObject"),
]
"""Of a run."""

IN_ITS_MIDST = [
    *_orchestrator(
        [
            *_written("dispatching", "sample", "chain_finished"),
            *_called("SendMessage", "ReceiveMessage", "DeleteMessageBatch"),
        ]
    ),
    *_worker(
        [
            *_called("ReceiveMessage", "a step is handed over"),
            "after a step is done",
            *_called("SendMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"),
        ]
    ),
    *_executor(
        [
            *(f"{when} {phase}" for phase in PHASES for when in ("before", "in", "after")),
            *_called("GetObject", "PutObject"),
            "after a step is told",
        ]
    ),
    Kill("executor after upload", "kill group"),
    *(
        Kill("orchestrator before writing dispatching", leads_to=f"orchestrator {point}")
        for point in _written("resumed")
    ),
    *(
        Kill("orchestrator before SendMessage", leads_to=f"orchestrator {point}")
        for point in ["before GetQueueAttributes", "after GetQueueAttributes"]
    ),
    *(Kill("executor in transform", leads_to=f"orchestrator {point}") for point in _written("failure")),
    *(Kill("worker after SendMessage", leads_to=f"orchestrator {point}") for point in _written("duplicate")),
]

AT_ANY_TIME = [*_orchestrator([AT_RANDOM]), *_worker([AT_RANDOM]), *_executor([AT_RANDOM])]

CLOSING = _orchestrator([*_called("ListObjectsV2", "DeleteObjects"), "before writing summary", "in writing summary"])
"""After its last chain: a run that dies here is closed again."""

LAST = _orchestrator(["after writing summary", *_called("PutObject", "DeleteQueue")])
"""A run that dies here has finished: its metrics file is whole, and what is not done is left to `cleanup`."""

STAGES = (BEGINNING, IN_ITS_MIDST, AT_ANY_TIME, CLOSING, LAST)


@dataclass(frozen=True)
class Deaths:
    """What a run is to meet."""

    ordered: tuple[Kill, ...] = ()
    """From its begin on: each happens when its point is first come by."""
    one_by_one: tuple[Kill, ...] = ()
    """Each is ordered when the one before it has happened."""

    def of(self, program: str) -> int:
        """How many."""
        return sum(kill.program == program for kill in (*self.ordered, *self.one_by_one))


def rotation(round_number: int, sizes: Sequence[int]) -> Deaths:
    """So many deaths of each stage for this round; the next round has those that follow, over and over."""
    begun, midst, random, closing, last = (
        _turns(stage, round_number * size, size) for stage, size in zip(STAGES, sizes, strict=True)
    )
    return Deaths(ordered=(*begun, *closing, *last), one_by_one=(*midst, *random))


def _turns(stage: Sequence[Kill], first: int, count: int) -> tuple[Kill, ...]:
    """The stride comes by the whole of a stage, and brings together what stands far apart in it."""
    length = len(stage)
    stride = next(stride for stride in range(length // 3 + 1, length + 2) if gcd(stride, length) == 1)
    return tuple(stage[number * stride % length] for number in range(first, first + count))
