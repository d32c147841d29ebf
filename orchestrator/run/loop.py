"""Drives a run: what the state machine decides is written down, then performed through the channel.

One turn of the loop: receive completions → the machine's actions → their lines on disk → the next steps sent → the
completions deleted. In that order, so that a kill between any two leaves nothing lost and nothing counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic, time

from orchestrator.channels import Arrival, Arrivals, Channel
from orchestrator.run import chain as machine
from orchestrator.run import history, telling
from orchestrator.run.chain import Chains, Dispatch
from orchestrator.run.journal import Journal, now_text
from orchestrator.run.lines import Event, Line
from orchestrator.run.plan import Plan
from orchestrator.s3_copy.lease import TakenOver
from stepbench.errors import EnvironmentRefused
from stepbench.messages import OutputSpec, StepMessage
from stepbench.queues import MAX_WAIT_SECONDS
from stepbench.s3_uris import uri

CLOCK_TOLERANCE_SECONDS = 86_400
"""What another machine's clock may be ahead."""
LOOK_AFTER_SECONDS = 2 * MAX_WAIT_SECONDS
SHORTEST_WAIT_SECONDS = 1.0
"""SQS's waits are whole seconds; also between the two looks that find nothing left of a run."""


class RunLoop:
    """One incarnation of the orchestrator at work on one run."""

    def __init__(
        self,
        plan: Plan,
        epoch: int,
        chains: Chains,
        channel: Channel,
        journal: Journal,
        observe: Callable[[Sequence[Line], int], None],
        check: Callable[[], None],
    ) -> None:
        """`observe` is told the lines of each turn, once they are written, and how many chains are in flight.

        `check` is called before anything is done about what came in, and raises for a reason not to go on.
        """
        self._plan = plan
        self._epoch = epoch
        self._chains = chains
        self._channel = channel
        self._journal = journal
        self._observe = observe
        self._check = check
        self._hear()

    def run(self, first: Sequence[machine.Action]) -> None:
        """From what the state machine wants done `first` until every chain has ended.

        Raises the transport's errors, TakenOver, EnvironmentRefused, KeyboardInterrupt.
        """
        self._perform(first, [])
        while not self._chains.finished:
            arrivals = self._channel.receive(self._patience_seconds())
            try:
                self._check()
                self._refuse_newer(arrivals.completions)
                self._take(arrivals)
            except EnvironmentRefused:
                # Whoever goes on with the run need not wait for what is not on disk.
                self._channel.hand_back(arrivals.completions)
                raise

    def _take(self, arrivals: Arrivals) -> None:
        actions: list[machine.Action] = []
        for arrival in arrivals.completions:
            actions += self._chains.completed(arrival.completion, arrival.received_at_ns)
        if arrivals.completions:
            self._hear()
        else:
            actions = self._given_up()
        strays: list[Line] = [
            Event(event=stray.event, at=now_text(), message=stray.message) for stray in arrivals.strays
        ]
        self._journal.write(strays)
        self._perform(actions, arrivals.completions)

    def _hear(self) -> None:
        """Something of the run is under way: silence begins anew."""
        self._heard_at = monotonic()
        self._found_silent = False

    def _refuse_newer(self, arrivals: Sequence[Arrival]) -> None:
        """What answers a newer orchestrator's dispatch is not for this one to accept, and it must not be deleted."""
        newest = history.epoch_at(time() + CLOCK_TOLERANCE_SECONDS)  # a larger one is no orchestrator's
        if any(self._epoch < arrival.completion.epoch <= newest for arrival in arrivals):
            raise TakenOver(
                f"another orchestrator has taken over run {self._plan.run_id}: an answer to it came here, so "
                f"this one has stopped; what it measured is kept in {self._journal.path}"
            )

    def _patience_seconds(self) -> float:
        silent = monotonic() - self._heard_at
        stall, look = self._plan.stall_timeout_seconds, self._look_after_seconds
        if self._found_silent:
            return SHORTEST_WAIT_SECONDS
        if silent >= stall:  # the backlog is looked at after each long poll: it may last for hours
            return MAX_WAIT_SECONDS
        left = min(stall - silent, look - silent if silent < look else look)
        return min(MAX_WAIT_SECONDS, max(SHORTEST_WAIT_SECONDS, left))

    @property
    def _look_after_seconds(self) -> float:
        """A silence that is worth a look at the dead letters, and another one later; well before STALL_TIMEOUT."""
        return min(LOOK_AFTER_SECONDS, self._plan.stall_timeout_seconds / 4)

    def _given_up(self) -> list[machine.Action]:
        """What becomes of steps in flight, when nothing came in."""
        actions: list[machine.Action] = []
        if monotonic() - self._heard_at >= self._look_after_seconds:
            for message in self._channel.dead_letters():
                actions += self._chains.dead_lettered(message)
        return actions or (self._chains.lost() if self._nothing_left() else [])

    def _nothing_left(self) -> bool:
        """Nothing came back for STALL_TIMEOUT and no step is in the queue or in a worker's hands.

        Found twice, with a receive in between: what had just been answered at the first look is there by then.
        """
        if monotonic() - self._heard_at < self._plan.stall_timeout_seconds:
            return False
        before, self._found_silent = self._found_silent, self._channel.is_silent()
        return before and self._found_silent

    def _perform(self, actions: Sequence[machine.Action], arrivals: Sequence[Arrival]) -> None:
        dispatches = [action for action in actions if isinstance(action, Dispatch) and self._chains.is_due(action)]
        lines = telling.lines_of(actions, arrivals, self._plan.run_id)
        lines += [telling.announcement(dispatch, self._epoch, self._output_prefix(dispatch)) for dispatch in dispatches]
        self._journal.write(lines)
        self._send(dispatches)
        self._channel.accept(arrivals)
        self._observe(lines, self._chains.in_flight)

    def _send(self, dispatches: Sequence[Dispatch]) -> None:
        if not dispatches:
            return
        sent = self._channel.send([self._message(dispatch) for dispatch in dispatches])
        for dispatch, stamp in zip(dispatches, sent, strict=True):
            self._chains.sent(dispatch, stamp.began_at_ns, stamp.call_ns)
        self._hear()

    def _output_prefix(self, dispatch: Dispatch) -> str:
        return uri(self._plan.bucket, f"{self._plan.payloads_prefix}chain{dispatch.chain:05d}-step{dispatch.step:05d}-")

    def _message(self, dispatch: Dispatch) -> StepMessage:
        plan = self._plan
        return StepMessage(
            run=plan.run_id,
            chain=dispatch.chain,
            step=dispatch.step,
            attempt=dispatch.attempt,
            epoch=self._epoch,
            step_kind="payload",
            input=dispatch.payload,
            output=OutputSpec(
                key_prefix=self._output_prefix(dispatch),
                serializer=plan.serializer,
                compression=plan.compression,
                sse=plan.sse,
                kms_key_id=plan.kms_key_id,
                tagged=plan.payload_tag,
            ),
            transform=plan.transform,
            transform_parameters=plan.transform_parameters,
            materialize=plan.materialize,
            gc=plan.gc,
            s3_client=plan.s3_client,
            step_timeout_seconds=plan.step_timeout_seconds,
            results_queue_url=plan.results_queue_url,
            expires_at=time() + plan.step_expiry_seconds,
        )
