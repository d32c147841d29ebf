"""Which attempt a log line is about: keyword arguments for every line about a step."""

from __future__ import annotations

from typing import Any

from stepbench.messages import Completion, StepMessage


def identity_of(message: StepMessage | Completion) -> dict[str, Any]:
    """Run, chain, step and attempt."""
    return {"run": message.run, "chain": message.chain, "step": message.step, "attempt": message.attempt}
