"""Times the phases of a step: wall by the monotonic clock, CPU by the process's clock, both in integer nanoseconds.

CPU is that of programs too which a phase started and saw the end of, as one S3 client does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from resource import RUSAGE_CHILDREN, getrusage
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
        cpu_began = _cpu_ns()
        began = monotonic_ns()
        yield
        self.wall_ns[phase] += monotonic_ns() - began
        self.cpu_ns[phase] += _cpu_ns() - cpu_began
        self.current = None
        self._entering(None)


def _cpu_ns() -> int:
    """Of this process, and of those that it has waited for."""
    children = getrusage(RUSAGE_CHILDREN)
    return process_time_ns() + round((children.ru_utime + children.ru_stime) * 1e9)
