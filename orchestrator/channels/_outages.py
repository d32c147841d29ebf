"""What a channel does while AWS does not answer: waits for what the run needs, lets go of what comes again anyway."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog

from stepbench.failures import is_retryable
from stepbench.patience import patient, raising_the_last

if TYPE_CHECKING:
    from orchestrator.run.plan import Plan
    from orchestrator.run.site import Site

log = structlog.get_logger()
P = ParamSpec("P")
Answer = TypeVar("Answer")


class Outages:
    """Of errors that are `worth_waiting`, for `patience_seconds` each. Safe to use from several threads."""

    def __init__(
        self,
        what: str,
        worth_waiting: Callable[[BaseException], bool] = is_retryable,
        patience_seconds: float = 0.0,
    ) -> None:
        """`what` is logged while an outage lasts."""
        self._what = what
        self._worth_waiting = worth_waiting
        self._patience_seconds = patience_seconds

    @classmethod
    def of_run(cls, what: str, plan: Plan, site: Site) -> Outages:
        """STALL_TIMEOUT is how long a run waits for anything."""

        def worth_waiting(error: BaseException) -> bool:
            site.check()  # an emulator of ours that has died does not come back
            return is_retryable(error)

        return cls(what, worth_waiting, plan.stall_timeout_seconds)

    def patiently(self, call: Callable[P, Answer], *arguments: P.args, **named: P.kwargs) -> Answer:
        """Its answer, when there is one. Raises its error."""
        try:
            return call(*arguments, **named)
        except Exception as error:
            if not self._worth_waiting(error):
                raise
        # Only now: what waits costs the call that works a good part of a step's turnaround.
        waiting = patient(self._what, self._worth_waiting, Event(), self._patience_seconds)
        return raising_the_last(waiting, call, *arguments, **named)

    def at_best(self, call: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
        """Once: what an outage keeps from being dealt with comes again, and need not be waited for."""
        try:
            call(*arguments, **named)
        except Exception as error:
            if not self._worth_waiting(error):
                raise
            log.info("a message is left to come again", error=str(error))
