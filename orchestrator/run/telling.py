"""What is written for each thing that the state machine decides: actions → lines of the metrics file."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from orchestrator.channels import Arrival
from orchestrator.run import chain as machine
from orchestrator.run.journal import now_text
from orchestrator.run.lines import Event, Failure, Line
from orchestrator.run.parts import sample_of

log = structlog.get_logger()


def lines_of(actions: Sequence[machine.Action], arrivals: Sequence[Arrival], run_id: str) -> list[Line]:
    """The lines of `actions`, dispatches aside; `arrivals` brought the completions that they are about."""
    by_completion = {id(arrival.completion): arrival for arrival in arrivals}
    lines: list[Line] = []
    for action in actions:
        match action:
            case machine.Record(completion=completion):
                lines.append(sample_of(action, by_completion[id(completion)], run_id))
            case machine.RecordFailure():
                lines.append(_failure(action))
            case machine.RecordLost():
                # The reason first: a death between the two leaves no chain that has failed without one.
                lines += [_lost_for_good(action, run_id)] if action.last else []
                lines.append(_lost(action, run_id))
            case machine.RecordDuplicate(done):
                lines.append(
                    Event(event="duplicate", at=now_text(), chain=done.chain, step=done.step, attempt=done.attempt)
                )
            case machine.Finish(chain, ok, wall_ns):
                lines.append(Event(event="chain_finished", at=now_text(), chain=chain, ok=ok, wall_ns=wall_ns))
            case machine.Reopen(chain):
                lines.append(Event(event="reopened", at=now_text(), chain=chain))
    return lines


def announcement(dispatch: machine.Dispatch, epoch: int, output_prefix: str) -> Event:
    """The line that stands in the file before a step is sent."""
    return Event(
        event="dispatching",
        at=now_text(),
        chain=dispatch.chain,
        step=dispatch.step,
        attempt=dispatch.attempt,
        epoch=epoch,
        output_prefix=output_prefix,
    )


SILENCE = "nothing came back of it for STALL_TIMEOUT, and nothing was waiting or in work, as far as can be told"
DEAD_LETTER = "its message is in the dead-letter queue; `python -m orchestrator dead-letters` tells why"


def _lost(action: machine.RecordLost, run_id: str) -> Event:
    reason = DEAD_LETTER if action.dead_lettered else SILENCE
    log.warning(
        "step given up as lost",
        run=run_id,
        chain=action.chain,
        step=action.step,
        attempt=action.attempt,
        reason=reason,
    )
    return Event(
        event="lost",
        at=now_text(),
        chain=action.chain,
        step=action.step,
        attempt=action.attempt,
        message=reason,
    )


def _lost_for_good(action: machine.RecordLost, run_id: str) -> Failure:
    return Failure(
        at=now_text(),
        run_id=run_id,
        chain=action.chain,
        step=action.step,
        attempt=action.attempt,
        error_class="StepLost",
        message=DEAD_LETTER
        if action.dead_lettered
        else f"{SILENCE}: who had it died, or its message is in the dead-letter queue",
        phase=None,
        retryable=True,
    )


def _failure(action: machine.RecordFailure) -> Failure:
    completion, error = action.completion, action.error
    log.warning(
        "attempt failed",
        run=completion.run,
        chain=completion.chain,
        step=completion.step,
        attempt=completion.attempt,
        phase=error.phase,
        error_class=error.error_class,
        error=error.message,
    )
    return Failure(
        at=now_text(),
        run_id=completion.run,
        chain=completion.chain,
        step=completion.step,
        attempt=completion.attempt,
        error_class=error.error_class,
        message=error.message,
        phase=error.phase,
        retryable=error.retryable,
        worker=completion.worker.worker if completion.worker else None,
        sqs_requests=completion.worker.sqs_requests if completion.worker else None,
    )
