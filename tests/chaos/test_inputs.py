"""Some thousands of hostile inputs; `python -m tests.chaos inputs --rounds N --seed S` tries any others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from stepbench.package_path import with_our_packages
from tests.chaos.figures import Figures
from tests.chaos.inputs import bombs, covering, kinds, part, pickles, sabotaged
from tests.chaos.inputs.kind import Kind

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux's files")
ROUNDS = 80
GROUP = 40


@pytest.mark.parametrize("seed", range(1, ROUNDS, GROUP))
def test_no_input_crashes_hangs_runs_takes_more_than_declared_or_is_told_without_a_class(seed: int) -> None:
    figures = part.run(GROUP, seed)
    assert not figures.failures, "\n".join(figures.failures)
    assert figures.tried.pop("inputs") == GROUP * len(kinds.KINDS)
    assert figures.tried.pop("inputs of hypothesis") == part.EXAMPLES * len(kinds.KINDS)
    assert set(figures.tried) == {kind.name for kind in kinds.KINDS}
    assert set(figures.tried.values()) == {GROUP + part.EXAMPLES}


def test_a_seed_makes_the_same_input_again() -> None:
    for kind in kinds.KINDS:
        assert repr(kind.of_seed(7)) == repr(kind.of_seed(7))


def test_what_hypothesis_finds_broken_is_told_at_its_smallest_and_repeated_by_its_seed() -> None:
    seeds = range(part.SEARCH_EVERY, part.SEARCH_EVERY + 1)
    first, again = (found(sabotaged.LONG, seeds) for _ in range(2))

    (told,) = (failure for failure in first.failures if "found by hypothesis" in failure)
    assert f"  input: {'x' * sabotaged.TOO_LONG!r}\n" in told
    assert told.splitlines()[:3] == next(text for text in again.failures if "hypothesis" in text).splitlines()[:3]


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


def test_chance_can_be_had_from_bytes_and_goes_on_behind_their_end() -> None:
    made = covering.FromBytes(b"\x01\x80\xff")
    assert (made.getrandbits(8), made.getrandbits(16)) == (1, 0xFF80)
    assert 0 <= made.random() < 1
    for kind in kinds.KINDS:
        assert repr(kind.make(covering.FromBytes(b"abc"))) == repr(kind.make(covering.FromBytes(b"abc")))
    first = [repr(kinds.KINDS[0].make(covering.FromBytes(bytes([byte] * 200)))) for byte in (7, 77)]
    assert first[0] != first[1]


def test_atheris_finds_nothing_where_it_is_installed() -> None:
    command = [sys.executable, "-m", covering.__name__, "step messages", "-runs=300", "-seed=1"]
    found = subprocess.run(command, env=with_our_packages(os.environ), text=True, capture_output=True, check=False)
    if find_spec("atheris") is None:
        assert found.returncode == covering.EXIT_MISSING
        assert found.stderr == "the package atheris is not installed: pip install atheris\n"
    else:
        assert "Done 300 runs" in found.stderr
        assert found.returncode == 0
