"""Keeps HEALTH_FILE: written again and again while a worker's threads get on, gone when the worker has ended well."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic_ns

import structlog

from stepbench.errors import EnvironmentRefused
from worker import health_check
from worker.pulse import Pulse

WRITE_SECONDS = 2.0

log = structlog.get_logger()


class HealthFile:
    """`keep` has a thread of its own."""

    def __init__(self, path: Path, pulse: Pulse) -> None:
        self._path = path
        self._pulse = pulse
        self._told: dict[str, str] = {}

    def claim(self) -> None:
        """Before the worker is ready: what an earlier one left is removed. Raises EnvironmentRefused."""
        try:
            health_check.write(self._path, [], monotonic_ns())
            self._path.unlink()
        except OSError as error:
            raise EnvironmentRefused(
                f"HEALTH_FILE={self._path} cannot be written: {error.strerror}; "
                "--health-file (HEALTH_FILE) names a file in a folder that can be"
            ) from error

    def keep(self, ended: threading.Event) -> None:
        """Until `ended`. A file that cannot be written grows old, and that is what it is there to tell."""
        while True:
            stuck = self._pulse.stuck()
            self._tell("a thread of the worker is stuck", ", ".join(stuck))
            self._tell("could not write the health file", self._refusal(stuck))
            if ended.wait(WRITE_SECONDS):
                return

    def remove(self) -> None:
        """The worker has ended well. Raises nothing."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("could not remove the health file", error=str(error))

    def _refusal(self, stuck: list[str]) -> str:
        try:
            health_check.write(self._path, stuck, monotonic_ns())
        except OSError as error:
            return str(error)
        return ""

    def _tell(self, what: str, why: str) -> None:
        """Once for each trouble; an empty `why` is none."""
        if why and why != self._told.get(what):
            log.error(what, why=why)
        self._told[what] = why
