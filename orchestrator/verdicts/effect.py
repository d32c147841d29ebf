"""How far apart two sets of rounds lie beside their own spread: Cliff's delta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from stepbench.samples import Frozen

Size = Literal["negligible", "small", "medium", "large"]
LIMITS: tuple[tuple[float, Size], ...] = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"))
"""Of the absolute value: Romano, Kromrey, Coraggio and Skowronek (2006)."""


class Effect(Frozen):
    """Of all pairs of a round of the one and a round of the other."""

    delta: float
    """The share of pairs in which the first has more, less the share in which it has less: -1 to 1."""
    size: Size


def cliffs_delta(ours: Sequence[float], theirs: Sequence[float]) -> Effect:
    """Both have at least one value."""
    signs = np.sign(np.subtract.outer(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)))
    delta = float(signs.mean())
    return Effect(delta=delta, size=next((size for limit, size in LIMITS if abs(delta) < limit), "large"))
