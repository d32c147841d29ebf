"""Runs in which single steps are held up, each at one place, and others are not.

A round is a chain. In it every place has its turn once, in an order that is drawn anew: the step that is held up, the
one after it, and an undelayed step to compare both with. So a place's steps and those that they are compared with lie
next to each other in time, whatever else the machine does.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks._stack import emulators, scratch, worker
from benchmarks.truth._expected import PARTS, Parts
from benchmarks.truth._runs import Line, Lines, lines_of_run, samples
from orchestrator.local import environment
from orchestrator.local.stack import Stack
from stepbench.samples import PHASES
from tests.delays.places import PLACES, VARIABLE, Delays, Place
from tests.delays.proxy import Proxies, proxies

DELAY_SECONDS = 0.040
TRANSFORM_SECONDS = 0.060
"""Longer than the delay, and than what passes on top while nobody works on the step."""
PAYLOAD_MB = 0.1
WARM_UP_STEPS = 5
LEAD_IN_STEPS = 2
SEED = 6
PATCHES = Path(__file__).parents[2] / "tests" / "delays" / "inside"


@dataclass(frozen=True)
class Trio:
    """One turn of a place."""

    delayed: Parts
    following: Parts
    undelayed: Parts


Turns = dict[Place, list[Trio]]


@dataclass(frozen=True)
class Injected:
    """What was measured, and of the places on the way how often each was really held up: some show in no part."""

    turns: Turns
    held: Mapping[str, int]


def planned(rounds: int, places: Sequence[Place]) -> list[list[Place | None]]:
    """For each chain and step where it is held up."""
    chance = random.Random(SEED)
    return [_chain(chance.sample(places, len(places))) for _ in range(rounds)]


def _chain(order: Sequence[Place]) -> list[Place | None]:
    steps: list[Place | None] = [None] * LEAD_IN_STEPS
    for place in order:
        steps += [place, None, None]
    return steps


def injected(
    rounds: int,
    places: Sequence[Place] = PLACES,
    delay_seconds: float = DELAY_SECONDS,
    transform_seconds: float = TRANSFORM_SECONDS,
) -> Injected:
    """Every place's turns, measured by the real programs."""
    delays = Delays(delay_seconds, transform_seconds, planned(rounds, places))
    with scratch() as folder, emulators() as stack:
        file = folder / "delays.json"
        delays.write(file)
        with _between(stack, delays) as between:
            there = _held_up(stack, between, file)
            with worker(there, executors=1):
                lines = _run(there, chains=rounds, steps=len(delays.places[0]))
        return Injected(turns(lines, delays.places), between.held)


def _between(stack: Stack, delays: Delays) -> AbstractContextManager[Proxies]:
    s3, sqs = stack.settings.s3_endpoint_url, stack.settings.sqs_endpoint_url
    assert s3 is not None
    assert sqs is not None
    return proxies(delays, s3, sqs, stack.steps_queue_url.rpartition("/")[2])


def _held_up(stack: Stack, between: Proxies, file: Path) -> Stack:
    """The stack behind proxies, for programs that have the wrappers inside."""
    inside = {
        "AWS_ENDPOINT_URL_S3": between.s3_url,
        "AWS_ENDPOINT_URL_SQS": between.sqs_url,
        "PYTHONPATH": os.pathsep.join([str(PATCHES), environment.cleaned({})["PYTHONPATH"]]),
        VARIABLE: str(file),
    }
    return replace(stack, environment=stack.environment | inside)


def _run(stack: Stack, chains: int, steps: int) -> Lines:
    plan = (f"--chains={chains}", "--concurrency=1", f"--steps={steps}", f"--warmup={WARM_UP_STEPS}")
    return lines_of_run(stack, *plan, "--serializer=json", f"--payload-mb={PAYLOAD_MB}", "--transform=noop")


def turns(lines: Lines, places: Sequence[Sequence[Place | None]]) -> Turns:
    """What each place's turns were, of a run that was held up so."""
    steps = {(line["chain"], line["step"]): line for line in samples(lines)}
    found: Turns = defaultdict(list)
    for chain, of_chain in enumerate(places, 1):
        for step, place in enumerate(of_chain, 1):
            if place is not None:
                found[place].append(Trio(*(_parts(steps[chain, step + later]) for later in range(3))))
    return found


def _parts(sample: Line) -> Parts:
    return {part: sample["phases_ns"][part] if part in PHASES else sample[f"{part}_ns"] for part in PARTS}
