"""Which faults are tried at which calls, and which of them a round carries."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

Fault = Literal[
    "503",
    "500",
    "500 after the work",
    "throttling",
    "reset",
    "reset after the work",
    "200 without the work, cut within the headers",
    "cut within the headers",
    "cut within the body",
    "flipped bits",
    "delay",
    "done twice",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
OF_BODIES = frozenset({"cut within the body", "flipped bits"})
HARMLESS = frozenset({"delay", "done twice"})

SDK_TRIES = 2
"""AWS_MAX_ATTEMPTS of every program here."""
MOST_ATTEMPTS = 6


@dataclass(frozen=True)
class Call:
    """A kind of call. `first`: how many of them are let through at the most before the fault, so that it is met."""

    name: str
    has_body: bool = True
    first: int = 0
    waited_out: bool = True
    """An outage of it is waited out, or costs an attempt. Otherwise it ends the run, with a sentence."""

    def can_meet(self, fault: Fault) -> bool:
        if fault == "throttling" and self.name.startswith("Head"):
            return False  # which a 400 without a body cannot tell: S3 answers 503
        return self.has_body or fault not in OF_BODIES


@dataclass(frozen=True)
class Recipe:
    """A small run in which certain calls are made."""

    name: str
    chains: int
    steps: int
    flags: tuple[str, ...]
    calls: tuple[Call, ...]
    sync_seconds: int = 0
    """METRICS_SYNC_SECONDS."""


SMALL = Recipe(
    "small",
    chains=3,
    steps=3,
    flags=("--concurrency=3", "--payload-mb=0.02", "--cleanup=true"),
    calls=(
        Call("GetQueueAttributes", waited_out=False),
        Call("CreateQueue", waited_out=False),
        Call("SendMessage", first=3),
        Call("SendMessageBatch"),
        Call("ReceiveMessage", first=3),
        Call("DeleteMessageBatch"),
        Call("DeleteQueue", has_body=False, waited_out=False),
        Call("HeadBucket", has_body=False, waited_out=False),
        # The first one is the first payload's, for which there is no other attempt.
        Call("PutObject", has_body=False, first=3, waited_out=False),
        Call("GetObject", first=3),
        Call("ListObjectsV2", waited_out=False),
        Call("DeleteObjects", waited_out=False),
    ),
)
HELD = Recipe(
    "held",
    chains=1,
    steps=1,
    flags=("--payload-mb=0.02", "--transform=cpu", "--transform-cpu-ms=2000"),
    calls=(Call("ChangeMessageVisibilityBatch"),),
)
IN_PARTS = Recipe(
    "in parts",
    chains=1,
    steps=2,
    flags=("--payload-mb=6", "--serializer=raw"),
    calls=(
        Call("HeadObject", has_body=False),
        Call("GetObject", first=1),
        Call("CreateMultipartUpload", first=1, waited_out=False),
        Call("UploadPart", has_body=False, first=3, waited_out=False),
        Call("CompleteMultipartUpload", first=1, waited_out=False),
        Call("AbortMultipartUpload", has_body=False),
    ),
)
COPIED = Recipe(
    "copied",
    chains=1,
    steps=2,
    flags=("--payload-mb=0.02", "--transform=cpu", "--transform-cpu-ms=1500"),
    calls=(
        # The first ones are the lease's, without which no run that is to be copied begins.
        Call("PutObject of the copy", has_body=False, first=6, waited_out=False),
        Call("DeleteObject of the copy", has_body=False, waited_out=False),
        Call("ListObjectsV2", first=1, waited_out=False),
        Call("DeleteObjects", waited_out=False),
    ),
    sync_seconds=1,
)
RECIPES = (SMALL, HELD, IN_PARTS, COPIED)


@dataclass(frozen=True)
class Planned:
    """A fault that the calls of a kind meet: those after the first `after` of a round, so many `times`."""

    call: Call
    fault: Fault
    after: int
    times: int

    @property
    def pair(self) -> tuple[str, Fault]:
        return self.call.name, self.fault

    @property
    def may_end_the_run(self) -> bool:
        return not self.call.waited_out and self.times >= SDK_TRIES and self.fault not in HARMLESS

    @property
    def may_fail_a_chain(self) -> bool:
        """A payload that is damaged each time that it is read is damaged for good."""
        return self.call.name == "GetObject" and self.fault == "flipped bits" and self.times > 1


@dataclass(frozen=True)
class Round:
    seed: int
    recipe: Recipe
    planned: tuple[Planned, ...]

    def __str__(self) -> str:
        faults = [f"{each.call.name} {each.times} x {each.fault} after {each.after}" for each in self.planned]
        return f"{self.recipe.name}: {'; '.join(faults)}"


PAIRS_OF_A_ROUND = 3
Pair = tuple[Call, Fault]


def _pairs(recipe: Recipe) -> list[Pair]:
    return [(call, fault) for call in recipe.calls for fault in FAULTS if call.can_meet(fault)]


def _place(pair: Pair) -> str:
    """An upload is aborted only where its parts are refused, see `of_seed`."""
    return "UploadPart" if pair[0].name == "AbortMultipartUpload" else pair[0].name


def _shared_out(recipe: Recipe) -> list[tuple[Recipe, list[Pair]]]:
    """Every pair once, a few in each round, no two of a round at the same call."""
    left = _pairs(recipe)
    random.Random(0).shuffle(left)
    rounds: list[tuple[Recipe, list[Pair]]] = []
    while left:
        taken: list[Pair] = []
        for pair in left:
            if len(taken) < PAIRS_OF_A_ROUND and _place(pair) not in map(_place, taken):
                taken.append(pair)
        left = [pair for pair in left if pair not in taken]
        rounds.append((recipe, taken))
    return rounds


ALL_PAIRS = frozenset((call.name, fault) for recipe in RECIPES for call, fault in _pairs(recipe))
_ROUNDS = list(chain.from_iterable(_shared_out(recipe) for recipe in RECIPES))
random.Random(0).shuffle(_ROUNDS)
FULL = len(_ROUNDS)
"""So many rounds one after the other try every fault at every call, and as many more have runs ended by them."""


def of_seed(seed: int) -> Round:
    """As many seeds in a row as FULL says have every pair; each seed has them at other moments.

    What may end a run would keep its other faults from being met: it lasts that long only in every other pass.
    """
    passes, place = divmod(seed - 1, FULL)
    recipe, pairs = _ROUNDS[place]
    chance = random.Random(seed)
    planned = []
    for call, fault in pairs:
        times = chance.choice((1, 1, 2, 3)) if call.waited_out or passes % 2 else 1
        planned.append(Planned(call, fault, chance.randint(0, call.first), times))
    if any(call.name == "AbortMultipartUpload" for call, _ in pairs):
        # Nothing is aborted unless a part cannot be written: all tries of both parts of a step's payload.
        part = next(call for call in recipe.calls if call.name == "UploadPart")
        planned.append(Planned(part, "503", after=2, times=2 * SDK_TRIES))
    return Round(seed, recipe, tuple(planned))
