"""Programs that break a promise on purpose, so that it can be seen that the harness finds it; see `sitecustomize.py`.

Each is put into every program of a round, and changes the one that does what it is about.
"""

from __future__ import annotations

import os
import uuid
from typing import Any


def deleting_a_step_before_its_completion_is_sent() -> None:
    from worker.publisher import Publisher

    publish = Publisher.publish

    def delete_and_publish(self: Any, finished: Any) -> None:
        self._steps_queue.delete([finished.step.receipt])
        publish(self, finished)

    Publisher.publish = delete_and_publish  # type: ignore[method-assign] # on purpose


def one_key_for_every_execution_of_a_step() -> None:
    uuid.uuid4 = lambda: uuid.UUID(int=0)


def leaving_a_torn_line_where_it_is() -> None:
    from orchestrator.run.journal import Journal

    def leave(_: Journal, whole_bytes: int, *, through: bool = False) -> None:
        pass

    Journal.cut = leave  # type: ignore[assignment, method-assign] # on purpose


def forgetting_what_was_done() -> None:
    from orchestrator.run import history

    read: Any = history.read
    history.read = lambda lines: read([line for line in lines if getattr(line, "chain", None) is None])


def answering_nothing() -> None:
    from worker.publisher import Publisher

    Publisher.publish = lambda self, finished: None  # type: ignore[method-assign] # on purpose


def leaking_a_file_a_step() -> None:
    from worker.publisher import Publisher

    publish = Publisher.publish
    kept: list[int] = []

    def publish_and_leak(self: Any, finished: Any) -> None:
        kept.append(os.open(os.devnull, os.O_RDONLY))
        publish(self, finished)

    Publisher.publish = publish_and_leak  # type: ignore[method-assign] # on purpose
