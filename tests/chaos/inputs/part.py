"""Part `inputs`: hostile messages, metrics files and payloads, one of each kind a round.

Not driven by hypothesis: an input may kill the process that takes it, and a seed that is told beforehand repeats it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from stepbench.package_path import with_our_packages
from tests.chaos.figures import Figures, PromiseBroken
from tests.chaos.inputs.kind import Kind

KINDS_MODULE = "tests.chaos.inputs.kinds"
ROUNDS = 1_000
SHOWN_CHARACTERS = 400


def run(rounds: int, seed: int) -> Figures:
    """Inputs of every kind, of the seeds from `seed` on."""
    from tests.chaos.inputs.kinds import KINDS

    return try_all(KINDS, KINDS_MODULE, range(seed, seed + rounds))


def try_all(kinds: tuple[Kind[Any], ...], module: str, seeds: range) -> Figures:
    """Every one of `kinds`, which are those of `module`, with every one of `seeds`."""
    figures = Figures()
    left = ((kind, seed) for seed in seeds for kind in kinds)
    while (child := _Child(module)).work_off(left, figures):
        continue  # it died of an input: the next ones are for another one
    child.close()
    return figures


class _Child:
    """A process that takes inputs until one of them kills it."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.chaos.inputs.child", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=with_our_packages(os.environ),
        )

    def work_off(self, left: Iterator[tuple[Kind[Any], int]], figures: Figures) -> bool:
        """Whether the process has died before all were taken."""
        for kind, seed in left:
            told = self._ask(f"{kind.name} {seed}")
            figures.tried.update((kind.name, "inputs"))
            if told is None:
                self._died(figures, kind, seed)
                return True
            if told.startswith("["):
                harm, sentence, trace = json.loads(told)
                _failed(figures, PromiseBroken(harm, sentence), kind, seed, trace)
        return False

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, line: str) -> str | None:
        """What came of an input; null if the process died of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        begun, told = self._process.stdout.readline(), self._process.stdout.readline()
        return told.rstrip("\n") if begun and told else None

    def _died(self, figures: Figures, kind: Kind[Any], seed: int) -> None:
        self.close()
        code = self._process.returncode
        if code == -signal.SIGALRM:
            _failed(figures, PromiseBroken("hangs", "it never came back"), kind, seed)
            return
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        _failed(figures, PromiseBroken("other promises broken", f"the process died of it: {name}"), kind, seed)


def _failed(figures: Figures, error: PromiseBroken, kind: Kind[Any], seed: int, trace: str = "") -> None:
    shown = f"{kind.of_seed(seed)!r:.{SHOWN_CHARACTERS}}"
    again = f"python -m tests.chaos inputs --rounds 1 --seed {seed}"
    figures.failed(error, f"{kind.name}, seed {seed}: {error}\n  input: {shown}\n  again: {again}\n{trace}")
