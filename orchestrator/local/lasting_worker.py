"""A worker that another one follows when it dies: the emulators are to outlive it, with all that is in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from orchestrator.local.children import Child


class LastingWorker:
    """Begun with the block, ended with it."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Child]]) -> None:
        self._begin = begin
        self._block = ExitStack()

    def __enter__(self) -> Self:
        self._worker = self._block.enter_context(self._begin())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._block.close()

    def wait_until_ready(self, deadline_seconds: float) -> None:
        """For the first one. Raises EnvironmentRefused if it ends before that, or is not ready in time."""
        self._worker.ready_line(deadline_seconds)

    def replaced(self) -> str | None:
        """How it died, if it has; then another one was begun. Null while it lives."""
        death = self._worker.death()
        if death is not None:
            self._block.close()  # its executors may still be there
            self.__enter__()
        return death
