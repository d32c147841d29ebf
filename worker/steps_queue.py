"""The steps queue in a worker's hands: a right that was never there is not only an error of the call that lacked it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from stepbench.queues import Depth, Outgoing, Queue, Received
from stepbench.refusals import refused_action


class StepsQueue:
    """See `stepbench.queues.Queue`. Tells `refused` of a `delete` or a `hide` that is not permitted, and raises it too.

    Whoever called goes on: a message that is not deleted or not hidden comes again, and nothing is lost. But it would
    come again without end, or while it is still worked on, so that a worker that may not do either has to end.
    `refused` is told only before the queue first answered such a call: one that answered once and refuses later is an
    outage or a change of rights, and those end.
    """

    def __init__(self, queue: Queue, refused: Callable[[Exception], None]) -> None:
        self._queue = queue
        self._refused = refused
        self._answered: set[str] = set()

    def send(self, messages: Sequence[Outgoing]) -> None:
        self._queue.send(messages)

    def receive(self, most: int, wait_seconds: float) -> list[Received]:
        return self._queue.receive(most, wait_seconds)

    def delete(self, receipts: Sequence[str]) -> None:
        with self._needing("delete", receipts):
            self._queue.delete(receipts)

    def hide(self, receipts: Sequence[str], seconds: int) -> list[str]:
        with self._needing("hide", receipts):
            return self._queue.hide(receipts, seconds)

    def depth(self) -> Depth:
        return self._queue.depth()

    @contextmanager
    def _needing(self, call: str, receipts: Sequence[str]) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if call not in self._answered and refused_action(error) is not None:
                self._refused(error)
            raise
        if receipts:  # without any the queue was not asked, and has not answered
            self._answered.add(call)
