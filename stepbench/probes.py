"""Probes: step messages that belong to no run, by which a worker is asked who it is and what it does.

`worker/steps/probe.py` is the step kind. A probe's completion tells what the executor knows (`ProbeAnswer`) and what
its worker adds (`WorkerState`). It carries an error too, because there is no output: to a reader of version 1 that
knows no answers it is an attempt of some other run that failed for good.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stepbench.samples import Count, Frozen

STEP_KIND = "probe"
ERROR_CLASS = "Probe"
MOST_RUNS_NAMED = 5

Word = Annotated[str, Field(max_length=200)]


class WorkerState(Frozen):
    """What a worker is doing while it answers, probes aside."""

    executors: Count
    busy_executors: Count
    """At work on a step."""
    held_steps: Count
    """Step messages in its hands: in work, waiting for an executor, or about to be published."""
    runs: tuple[Word, ...]
    """Some of the runs that those belong to, MOST_RUNS_NAMED of them at most."""
    up_seconds: Annotated[float, Field(ge=0)]
    """Since its executors were ready for the first step."""


class ProbeAnswer(Frozen):
    """Who answers a probe: the machine, as a container or cgroup limits it, and the version."""

    version: Word
    python: Word
    platform: Word
    cores: Count
    memory_bytes: Count
    state: WorkerState | None = None
    """Added by the worker; the executor leaves it out."""
