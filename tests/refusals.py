"""What is wrong with settings, as a user is told."""

from __future__ import annotations

from typing import Any

from stepbench import configuration
from stepbench.errors import UsageError


def problems(flags: dict[str, Any], program: Any = "orchestrator") -> list[str]:
    try:
        configuration.load(flags, program)
    except UsageError as error:
        return list(error.problems)
    return []
