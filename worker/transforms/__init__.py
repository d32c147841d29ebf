"""Transforms: what a step does with the records between reading and writing. One file each.

Every file defines `apply(value, parameters) -> value`, which gets and gives the records in the serializer's form, and
`PARAMETERS`, the settings that it reads, by field name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from stepbench import registry


class Transform(Protocol):
    """A module of this package."""

    PARAMETERS: tuple[str, ...]

    def apply(self, value: Any, parameters: Mapping[str, float]) -> Any:
        """The records that the step hands on."""
        ...


def load(name: str) -> Transform:
    """The transform called `name`. Raises UsageError if there is none."""
    transform: Any = registry.load(__name__, name)
    return transform  # type: ignore[no-any-return] # a module stands for the protocol
