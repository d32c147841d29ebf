"""Uses a stated amount of CPU time (TRANSFORM_CPU_MS) and hands the records on as they are."""

from __future__ import annotations

from collections.abc import Mapping
from time import thread_time_ns
from typing import Any

PARAMETERS = ("transform_cpu_ms",)
SLICE_ITERATIONS = 2_000
"""Work between two looks at the clock: some tens of microseconds."""


def apply(value: Any, parameters: Mapping[str, float]) -> Any:
    # This thread's CPU clock: time in which the machine ran something else is not work done.
    until_ns = thread_time_ns() + int(parameters["transform_cpu_ms"] * 1e6)
    number = 1
    while thread_time_ns() < until_ns:
        for _ in range(SLICE_ITERATIONS):
            number = number * 1_103_515_245 + 12_345 & 0x7FFFFFFF
    return value
