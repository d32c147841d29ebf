"""What a kind of hostile input is: how to make one from a seed, who takes it, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from stepbench.errors import StepbenchError

Input = TypeVar("Input")

MB = 1_000_000


@dataclass(frozen=True)
class Kind(Generic[Input]):
    """`take` gives an input to the product, as whoever receives it in earnest would; it may raise `foreseen` alone.

    What is accepted is held to the kind's own checks, in `take`, by PromiseBroken.
    """

    name: str
    """In the plural, as the figures show it."""
    make: Callable[[Random], Input]
    take: Callable[[Input], None]
    most_bytes: Callable[[Input], int]
    """What taking it may add to the process's memory, at its highest."""
    foreseen: tuple[type[Exception], ...] = (StepbenchError,)
    deadline_seconds: float = 60.0
    """Inputs take milliseconds; only what never ends is to meet it, on a busy machine too."""

    def of_seed(self, seed: int) -> Input:
        return self.make(Random(f"{self.name} {seed}"))
