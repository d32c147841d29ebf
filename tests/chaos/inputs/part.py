"""Part `inputs`: hostile messages, metrics files and payloads, a round has one of each kind.

They are taken in a process of their own, because one of them may kill it. Beside those that a seed makes there are
those that hypothesis comes to from it. `tests.chaos.inputs.covering` has atheris look for more.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stepbench.package_path import with_our_packages
from tests.chaos.figures import Figures, PromiseBroken
from tests.chaos.inputs.kind import Kind

KINDS_MODULE = "tests.chaos.inputs.kinds"
ROUNDS = 1_000
SEARCH_EVERY, EXAMPLES = 40, 20
"""Seeds that this divides also begin a search through so many examples of each kind, so that each is repeated by its
seed alone."""


@dataclass(frozen=True, slots=True)
class Order:
    """The input of one seed, or a search that begins with it."""

    kind: Kind[Any]
    seed: int
    examples: int = 0

    def __str__(self) -> str:
        return f"{self.seed} {self.examples} {self.kind.name}"


def run(rounds: int, seed: int) -> Figures:
    """Inputs of every kind, of the seeds from `seed` on."""
    from tests.chaos.inputs.kinds import KINDS

    return try_all(KINDS, KINDS_MODULE, range(seed, seed + rounds))


def try_all(kinds: tuple[Kind[Any], ...], module: str, seeds: range) -> Figures:
    """Every one of `kinds`, which are those of `module`, with every one of `seeds`."""
    figures = Figures()
    left = _orders(kinds, seeds)
    while (child := _Child(module)).work_off(left, figures):
        continue  # it died of an input: the next ones are for another one
    child.close()
    return figures


def _orders(kinds: tuple[Kind[Any], ...], seeds: range) -> Iterator[Order]:
    for seed in seeds:
        yield from (Order(kind, seed) for kind in kinds)
        if seed % SEARCH_EVERY == 0:
            yield from (Order(kind, seed, EXAMPLES) for kind in kinds)


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

    def work_off(self, left: Iterator[Order], figures: Figures) -> bool:
        """Whether the process has died before all were taken."""
        for order in left:
            told = self._ask(order)
            count = told["tried"] if told else 1
            figures.tried.update(
                {order.kind.name: count, "inputs of hypothesis" if order.examples else "inputs": count}
            )
            if told is None:
                self._died(figures, order)
                return True
            if "harm" in told:
                error = PromiseBroken(told["harm"], told["sentence"])
                _failed(figures, error, order, told["input"], told["trace"])
        return False

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, order: Order) -> dict[str, Any] | None:
        """What came of it; null if the process died of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(order, file=self._process.stdin, flush=True)
        begun, told = self._process.stdout.readline(), self._process.stdout.readline()
        return json.loads(told) if begun and told else None

    def _died(self, figures: Figures, order: Order) -> None:
        self.close()
        code = self._process.returncode
        # Which of a search's examples it was, nobody is left to tell.
        shown = f"one of {order.examples}" if order.examples else f"{order.kind.of_seed(order.seed)!r:.400}"
        if code == -signal.SIGALRM:
            _failed(figures, PromiseBroken("hangs", "it never came back"), order, shown)
            return
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        _failed(figures, PromiseBroken("other promises broken", f"the process died of it: {name}"), order, shown)


def _failed(figures: Figures, error: PromiseBroken, order: Order, shown: str, trace: str = "") -> None:
    again = f"python -m tests.chaos inputs --rounds 1 --seed {order.seed}"
    found = ", found by hypothesis" if order.examples else ""
    told = f"{order.kind.name}, seed {order.seed}{found}: {error}"
    figures.failed(error, f"{told}\n  input: {shown}\n  again: {again}\n{trace}")
