"""Experiments that end by themselves, on simulated noise: when they end, and whether they are as honest and as sharp.

To end when the rounds so far are enough could spoil both: rounds that are calm by luck would end too early.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TypeVar

import numpy as np

from benchmarks.truth import Row
from benchmarks.truth._bounds import upper
from benchmarks.truth._by_itself import span
from benchmarks.truth._noise import NOISES, Noise
from benchmarks.truth._resampling import Run
from orchestrator.experiment import contrasts
from orchestrator.verdicts import MOST_ROUNDS, TO_SEE, enough
from orchestrator.verdicts.comparison import ALPHA, MISSED, Comparison, paired
from orchestrator.verdicts.rounds import ByRound

T = TypeVar("T")
TRIES = 400
MANY = (2, 4, 16)
QUIET_SPREAD = 0.03
QUIET_TRIES = 20
PHASES = ("download", "deserialize", "serialize", "upload")
FALSE_LIMIT = 0.05
FOUND_LIMIT = 0.9
SEED = 1
LEFT_OUT = ("whole ms",)
"""A wait of two or three whole milliseconds: no number of rounds shows 5 % of it."""
NOTES = (
    f"First: what {QUIET_TRIES} experiments take in normal noise, with a step and {len(PHASES)} phases to look at.",
    f"Then: {TRIES} experiments each of a case and its baseline, of at most {MOST_ROUNDS} rounds. Called falsely:",
    f"different where nothing is, nominally {ALPHA:.0%}. Found: where the case is {TO_SEE:.0%} slower, which is to be",
    f"in {1 - MISSED:.0%}. The bound of what is called falsely is one-sided, 95 %.",
)


def run(rounds: int | None) -> list[Row]:
    """`rounds` are of what is measured, and nothing is here."""
    del rounds
    quiet = [_quiet(cases) for cases in MANY]
    return [*quiet, *(_row(name, noise, TRIES) for name, noise in NOISES.items() if name not in LEFT_OUT)]


def _quiet(cases: int) -> Row:
    """How many rounds an experiment of several cases takes that has a step and PHASES to look at."""
    chance = np.random.default_rng(SEED)
    span_of = span([_rounds(chance, cases) for _ in range(QUIET_TRIES)])
    return Row(f"{cases} cases, {QUIET_SPREAD:.0%} apart by round", span_of)


def _rounds(chance: np.random.Generator, cases: int) -> int:
    spread = QUIET_SPREAD / sqrt(2)  # of each of the two that are held against each other
    times = np.exp(chance.normal(0, spread, (cases, MOST_ROUNDS, 1 + len(PHASES))))
    names = [str(case) for case in range(cases)]
    every = {
        name: {number: _run(row) for number, row in enumerate(of, 1)} for name, of in zip(names, times, strict=True)
    }
    for rounds in enough.looks(MOST_ROUNDS):
        first = {name: _first(of, rounds) for name, of in every.items()}
        if not any(contrasts.unseen(first, names[0], TO_SEE, names)):
            return rounds
    return MOST_ROUNDS


def _run(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Run:
    step, *phases = map(float, times)
    return Run(step_ns=step, parts_ns={name: time / len(PHASES) for name, time in zip(PHASES, phases, strict=True)})


def _row(name: str, noise: Noise, tries: int) -> Row:
    chance = np.random.default_rng(SEED)
    ends = [_ended(noise, chance) for _ in range(tries)]
    false = sum(same.verdict != "no difference seen" for same, _ in ends)
    found = sum(slower.verdict == "more" for _, slower in ends) / tries
    bound = upper(false, tries)
    figure = f"{span([same.rounds for same, _ in ends])}; {false / tries:.1%} called falsely, {found:.0%} found"
    limit = f"bound at most {FALSE_LIMIT:.0%}, at least {FOUND_LIMIT:.0%} found"
    return Row(name, figure, limit, bound <= FALSE_LIMIT and found >= FOUND_LIMIT)


def _ended(noise: Noise, chance: np.random.Generator) -> tuple[Comparison, Comparison]:
    """What is said in the end of a case that is the same as its baseline, and of one that is slower."""
    case, baseline = (_by_round(column) for column in np.exp(noise(chance, MOST_ROUNDS)).T)
    rounds = next((rounds for rounds in enough.looks(MOST_ROUNDS) if _is_seen(case, baseline, rounds)), MOST_ROUNDS)
    slower = {number: value * (1 + TO_SEE) for number, value in case.items()}
    return _compared(case, baseline, rounds), _compared(slower, baseline, rounds)


def _by_round(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[int, float]:
    return dict(enumerate(map(float, column), 1))


def _is_seen(case: ByRound, baseline: ByRound, rounds: int) -> bool:
    return enough.is_seen(_compared(case, baseline, rounds), TO_SEE)


def _compared(case: ByRound, baseline: ByRound, rounds: int) -> Comparison:
    return paired(_first(case, rounds), _first(baseline, rounds))


def _first(values: Mapping[int, T], rounds: int) -> dict[int, T]:
    return {number: values[number] for number in range(1, rounds + 1)}
