"""Looks for a run's own messages among the dead letters, in the background: completions must not wait for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import structlog

from stepbench.errors import EnvironmentRefused, MessageRefused
from stepbench.messages import StepMessage, parse
from stepbench.refusals import refused_action

Look = Callable[[], Iterable[str]]
"""The bodies of all dead letters, whosever they are."""

log = structlog.get_logger()


class DeadLetterWatch:
    """Looks once for each time that it is asked and not looking already.

    Where there is no dead-letter queue, or no right to look, it looks no more: the run then waits for STALL_TIMEOUT.
    """

    def __init__(self, look: Look | None, run_id: str) -> None:
        """`look`: null where there is nowhere to look."""
        self._look = look or tuple
        self._run_id = run_id
        self._looking: threading.Thread | None = None
        self._found: list[StepMessage] = []
        self._over = look is None

    @property
    def looks(self) -> bool:
        """Whether what is given up is found there, as far as is known by now."""
        return not self._over

    def found(self) -> list[StepMessage]:
        """What the look that ended last has found; begins the next."""
        if self._over or (self._looking is not None and self._looking.is_alive()):
            return []
        found, self._found = self._found, []
        self._looking = threading.Thread(target=self._look_once, name="dead-letters", daemon=True)
        self._looking.start()
        return found

    def _look_once(self) -> None:
        try:
            self._found = [message for body in self._look() if (message := self._ours(body)) is not None]
        except Exception as error:  # noqa: BLE001 # whatever it was, the run goes on without
            self._over = isinstance(error, EnvironmentRefused) or refused_action(error) is not None
            log.info("could not look for dead letters", error=str(error), looks_again=not self._over)

    def _ours(self, body: str) -> StepMessage | None:
        if self._run_id not in body:
            return None
        try:
            message = parse(StepMessage, body)
        except MessageRefused:
            return None
        return message if message.run == self._run_id else None
