"""Which attempts a log line is about: keyword arguments for every line about a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepbench.messages import Completion, StepMessage
from worker.held import HeldStep


def identity_of(message: StepMessage | Completion) -> dict[str, Any]:
    """Of one attempt: run, chain, step and attempt."""
    return {"run": message.run, "chain": message.chain, "step": message.step, "attempt": message.attempt}


def identities_of(steps: Sequence[HeldStep]) -> dict[str, Any]:
    """Of several: how many they are, and which one it is where it is one."""
    only = identity_of(steps[0].message) if len(steps) == 1 else {}
    return {"count": len(steps), **only}
