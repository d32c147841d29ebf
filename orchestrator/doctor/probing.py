"""Asks the workers who they are: probes through the steps queue, as many different answers as come in a stated time.

Which worker takes a message is SQS's choice, so a few probes are on their way all the time until that time is up. A
probe that nobody took in time expires soon after it, and is deleted by whoever takes it then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic, time

from orchestrator.channels import Arrival, Channel
from orchestrator.doctor.findings import AnsweringWorker
from stepbench.messages import OutputSpec, PayloadRef, StepMessage
from stepbench.probes import STEP_KIND

ON_THEIR_WAY = 10
EVERY_SECONDS = 0.5
SENDING_SHARE = 0.75
"""Of the time. In the rest, what is on its way comes back."""
DRAIN_SECONDS = 5.0
OUTLIVES_SECONDS = 60.0
"""A probe expires so long after its time is up: enough for clocks that differ a little."""
STEP_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 1.0


class Probing:
    """One round of questions."""

    def __init__(
        self,
        channel: Channel,
        run_id: str,
        uri: str,
        results_queue_url: str,
        clock: Callable[[], float] = monotonic,
        on_their_way: int = ON_THEIR_WAY,
    ) -> None:
        """`uri` names no object; workers see that it is in their bucket and below their prefix."""
        self._on_their_way = on_their_way
        self._channel = channel
        self._run_id = run_id
        self._uri = uri
        self._results_queue_url = results_queue_url
        self._clock = clock
        self._numbers = count(1)
        self._workers: dict[str, AnsweringWorker] = {}
        self._answered: set[int] = set()
        self._sent = 0

    @property
    def unanswered(self) -> int:
        return self._sent - len(self._answered)

    def run(self, wait_seconds: float, wanted: int | None) -> list[AnsweringWorker]:
        """Those that answered within `wait_seconds`, by name; ends when `wanted` have.

        Raises the transport's errors.
        """
        begun = self._clock()
        next_at = begun
        while (now := self._clock()) - begun < wait_seconds and not self._has(wanted):
            if now >= next_at and now - begun < wait_seconds * SENDING_SHARE:
                self._send(time() + wait_seconds + OUTLIVES_SECONDS)
                next_at = now + EVERY_SECONDS
            self._receive()
        self._drain()
        self._channel.close()
        return sorted(self._workers.values(), key=lambda each: each.worker)

    def _drain(self) -> None:
        """What is still on its way would find no results queue, and come again until it has expired."""
        until = self._clock() + DRAIN_SECONDS
        while self._workers and self.unanswered and self._clock() < until:
            self._receive()

    def _receive(self) -> None:
        arrivals = self._channel.receive(POLL_SECONDS).completions
        for arrival in arrivals:
            self._take(arrival)
        self._channel.accept(arrivals)

    def _has(self, wanted: int | None) -> bool:
        return wanted is not None and len(self._workers) >= wanted

    def _send(self, expires_at: float) -> None:
        messages = list(self._messages(self._on_their_way - self.unanswered, expires_at))
        if messages:
            self._channel.send(messages)
            self._sent += len(messages)

    def _take(self, arrival: Arrival) -> None:
        completion = arrival.completion
        self._answered.add(completion.step)
        if completion.worker is None:
            return
        error = completion.error.message if completion.error and completion.answer is None else None
        self._workers[completion.worker.worker] = AnsweringWorker(
            worker=completion.worker.worker, host=completion.worker.host, answer=completion.answer, error=error
        )

    def _messages(self, how_many: int, expires_at: float) -> Iterator[StepMessage]:
        nothing = PayloadRef(
            uri=self._uri,
            object_bytes=0,
            serialized_bytes=0,
            checksum="sha256:" + "0" * 64,
            serializer="raw",
            compression="none",
        )
        nowhere = OutputSpec(key_prefix=self._uri, serializer="raw", compression="none", sse="none", kms_key_id=None)
        for _ in range(how_many):
            yield StepMessage(
                run=self._run_id,
                chain=0,
                step=next(self._numbers),
                attempt=1,
                epoch=0,
                step_kind=STEP_KIND,
                input=nothing,
                output=nowhere,
                transform="noop",
                transform_parameters={},
                materialize="native",
                gc="normal",
                s3_client="boto3",
                step_timeout_seconds=STEP_TIMEOUT_SECONDS,
                results_queue_url=self._results_queue_url,
                expires_at=expires_at,
            )
