"""Some thousands of hostile inputs; `python -m tests.chaos inputs --rounds N --seed S` tries any others."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from tests.chaos.figures import Figures
from tests.chaos.inputs import bombs, kinds, part, pickles, sabotaged
from tests.chaos.inputs.kind import Kind

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux's files")
ROUNDS = 160
GROUP = 40


@pytest.mark.parametrize("seed", range(1, ROUNDS, GROUP))
def test_no_input_crashes_hangs_runs_takes_more_than_declared_or_is_told_without_a_class(seed: int) -> None:
    figures = part.run(GROUP, seed)
    assert not figures.failures, "\n".join(figures.failures)
    assert figures.tried.pop("inputs") == GROUP * len(kinds.KINDS)
    assert set(figures.tried) == {kind.name for kind in kinds.KINDS}
    assert set(figures.tried.values()) == {GROUP}


def test_a_seed_makes_the_same_input_again() -> None:
    for kind in kinds.KINDS:
        assert repr(kind.of_seed(7)) == repr(kind.of_seed(7))


def found(kind: Kind[Any], seeds: range) -> Figures:
    return part.try_all((kind,), sabotaged.__name__, seeds)


@pytest.mark.parametrize(
    ("kind", "sentence", "harm"),
    [
        (pickles.KINDS[0], r"taking it did pickle\.find_class", "other promises broken"),
        (bombs.KINDS[0], r"it took \d+ MB of memory", "other promises broken"),
        (sabotaged.CRASH, "the process died of it: SIGSEGV", "other promises broken"),
        (sabotaged.HANG, "it never came back", "hangs"),
        (sabotaged.BUG, "an error that nobody foresaw: KeyError", "other promises broken"),
    ],
    ids=["plain unpickler", "decompressor without bound", "crash", "hang", "bug"],
)
def test_what_is_broken_is_found_and_told_with_its_seed(kind: Kind[Any], sentence: str, harm: Any) -> None:
    seeds = range(1, 21) if kind in (*pickles.KINDS, *bombs.KINDS) else range(1, 3)
    figures = found(kind, seeds)
    assert figures.harms[harm] == len(figures.failures) >= 2
    told = [failure for failure in figures.failures if re.search(sentence, failure)]
    assert told
    assert all(re.search(r"seed (\d+):[^$]*--seed \1\n", failure) for failure in told)
    assert figures.tried[kind.name] == len(seeds)
