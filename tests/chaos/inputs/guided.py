"""The same kinds of input, with hypothesis in the generator's place: what it finds broken it makes smaller.

In the process that takes inputs. The same seed makes the same search again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from tests.chaos.inputs.kind import Kind


def search(kind: Kind[Any], number: int, examples: int, attempt: Callable[[Any], object]) -> None:
    """Gives so many inputs of `kind` to `attempt`.

    Raises what `attempt` does, of the smallest input that was found for it, which is the last one that it was given.
    """

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def give(random: Random) -> None:
        attempt(kind.make(random))

    give()
