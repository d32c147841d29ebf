"""Counts a run's lines as they are written, for the live view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from orchestrator.report.pace import Progress, time_at_work
from orchestrator.report.units import NS_PER_SECOND
from orchestrator.run.lines import Event, Failure, Line
from orchestrator.run.plan import Plan
from stepbench.samples import Sample


class Tally:
    """How a run stands, from its first line on. `show` is given a snapshot after every turn of the loop."""

    def __init__(
        self,
        plan: Plan,
        show: Callable[[Progress], None],
        warn_after_seconds: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`warn_after_seconds`: see `Progress`."""
        self._plan = plan
        self._show = show
        self._warn_after_seconds = warn_after_seconds
        self._clock = clock
        self._heard_at: float | None = None
        self._began = clock()
        self._worked_seconds = 0.0
        self._step_seconds: float | None = None
        self._steps_done = self._chains_done = self._steps_before = 0
        self._failed: set[int] = set()
        """Chains; one that was failed may be tried again by a resumed run."""
        self._failures = self._retries = self._duplicates = self._lost = 0
        self._last_error: str | None = None

    def remember(self, lines: Sequence[Line]) -> None:
        """These lines were written by earlier incarnations of the orchestrator."""
        for line in lines:
            self._count(line)
        self._steps_before = self._steps_done

    def saw(self, lines: Sequence[Line], in_flight: int) -> None:
        """These lines were written; `in_flight` chains have begun and not ended."""
        for line in lines:
            self._count(line)
        now = self._clock()
        answered = any(_is_an_answer(line) for line in lines)
        if answered and self._heard_at is not None:
            took = (_seconds_at_work(line) for line in lines if isinstance(line, Sample))
            self._step_seconds = max(took, default=self._step_seconds)
            self._worked_seconds += time_at_work(now - self._heard_at, self._step_seconds)
        if not in_flight:
            self._heard_at = None
        elif answered or self._heard_at is None:
            self._heard_at = now
        came_back = self._steps_done > self._steps_before
        self._show(
            Progress(
                chains_done=self._chains_done,
                chains_failed=len(self._failed),
                chains=self._plan.chains,
                steps_done=self._steps_done,
                steps=self._plan.chains * self._plan.steps,
                in_flight=in_flight,
                failures=self._failures,
                retries=self._retries,
                duplicates=self._duplicates,
                lost=self._lost,
                last_error=self._last_error,
                elapsed_seconds=now - self._began,
                worked_seconds=self._worked_seconds,
                step_seconds=self._step_seconds,
                waiting_note=None if came_back or not in_flight else "waiting for the first step to come back",
                steps_before=self._steps_before,
                heard_at_seconds=None if self._heard_at is None else self._heard_at - self._began,
                warn_after_seconds=self._warn_after_seconds,
                function=self._plan.lambda_function,
            )
        )

    def _count(self, line: Line) -> None:
        match line:
            case Sample(kind="sample"):
                self._steps_done += 1
            case Failure():
                self._failures += 1
                self._last_error = f"chain {line.chain} step {line.step}: {line.error_class}: {line.message}"
            case Event(event="lost"):
                self._lost += 1
                self._last_error = f"chain {line.chain} step {line.step}: given up as lost: {line.message}"
            case Event(event="chain_finished", chain=int(chain), ok=ok) if chain > 0:
                self._failed.discard(chain)
                if ok:
                    self._chains_done += 1
                else:
                    self._failed.add(chain)
            case Event(event="dispatching", attempt=int(attempt)):
                self._retries += attempt > 1
            case Event(event="duplicate"):
                self._duplicates += 1


def _seconds_at_work(sample: Sample) -> float:
    """What the executor took; the rest of a step grows with an outage, too."""
    return (sum(sample.phases_ns.values()) + sample.other_ns) / NS_PER_SECOND


def _is_an_answer(line: Line) -> bool:
    """Of a worker. A step that was given up as lost is none."""
    match line:
        case Sample() | Event(event="duplicate"):
            return True
        case Failure(worker=worker):
            return worker is not None
    return False
