"""Times the phases of a step: wall by the monotonic clock, CPU by the process's clock, both in integer nanoseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns, process_time_ns

from stepbench.samples import PHASES, Phase


class PhaseTimer:
    """Adds up the time spent in each phase; a phase may be entered more than once (`checksum` is).

    `entering` is told each phase as it begins, and None as it ends, so that somebody outside knows where it died.
    """

    def __init__(self, entering: Callable[[Phase | None], None] = lambda phase: None) -> None:
        self._entering = entering
        self.wall_ns: dict[Phase, int] = dict.fromkeys(PHASES, 0)
        self.cpu_ns: dict[Phase, int] = dict.fromkeys(PHASES, 0)
        self.current: Phase | None = None
        """The phase that is under way, or in which an error left the step."""

    @contextmanager
    def __call__(self, phase: Phase) -> Iterator[None]:
        self._entering(phase)
        self.current = phase
        cpu_began = process_time_ns()
        began = monotonic_ns()
        yield
        self.wall_ns[phase] += monotonic_ns() - began
        self.cpu_ns[phase] += process_time_ns() - cpu_began
        self.current = None
        self._entering(None)
