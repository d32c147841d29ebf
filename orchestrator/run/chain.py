"""The state machine of a run: which step of which chain is next, and what counts.

It knows no clock, no queue and no S3: what happened comes in as a method call with `now_ns` as an argument, what to do
about it comes out as actions, and somebody else does it. Whatever drives a run, tests one, resumes one or simulates
one drives this.

Theory. A chain runs its steps one after the other; each step is dispatched as attempt 1, 2, … until one of its
attempts is done or the attempts are used up. The queue delivers at least once and in any order, so a completion may
come twice, late (after its step was given up as lost), or from an attempt that is no longer the newest. The first
completion of a (chain, step) is accepted whichever attempt it is of, because any of them is the step's work; every
other one is a duplicate. A failure counts only against the newest attempt: an older one's failure changes nothing.

A chain is in one of these states, and TRANSITIONS is all that can happen to it:

    WAITING    not begun: as many chains are in flight as may be
    DUE        its step is decided and not yet sent
    IN_FLIGHT  its step is sent and not yet answered
    FINISHED   all steps done
    FAILED     a step used up its attempts, or failed for good; what still comes in for that step is recorded, but
               the chain does not go on
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from stepbench.messages import Completion, PayloadRef, StepError, StepMessage


class State(Enum):
    WAITING = auto()
    DUE = auto()
    IN_FLIGHT = auto()
    FINISHED = auto()
    FAILED = auto()


class Event(Enum):
    START = auto()
    SENT = auto()
    STEP_DONE = auto()
    CHAIN_DONE = auto()
    SKIPPED_AHEAD = auto()
    TRY_AGAIN = auto()
    GIVE_UP = auto()
    REOPENED = auto()


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.WAITING: {Event.START: State.DUE, Event.SKIPPED_AHEAD: State.IN_FLIGHT},
    State.DUE: {
        Event.SKIPPED_AHEAD: State.IN_FLIGHT,
        Event.SENT: State.IN_FLIGHT,
        # An earlier attempt, given up as lost, is done after all: the attempt that was due is not sent.
        Event.STEP_DONE: State.DUE,
        Event.CHAIN_DONE: State.FINISHED,
    },
    State.IN_FLIGHT: {
        Event.SKIPPED_AHEAD: State.IN_FLIGHT,
        Event.STEP_DONE: State.DUE,
        Event.CHAIN_DONE: State.FINISHED,
        Event.TRY_AGAIN: State.DUE,
        Event.GIVE_UP: State.FAILED,
    },
    State.FINISHED: {},
    State.FAILED: {Event.STEP_DONE: State.FAILED, Event.REOPENED: State.WAITING},
}


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Send this attempt, then call `sent`. Void when the chain has moved on meanwhile: see `Chains.is_due`."""

    chain: int
    step: int
    attempt: int
    payload: PayloadRef


@dataclass(frozen=True, slots=True)
class Record:
    """Write the sample of an accepted completion, with the orchestrator's share of its times.

    Null times: the step was in flight while the orchestrator was down. Null turnaround alone: the step before it was
    completed by an earlier incarnation.
    """

    completion: Completion
    warmup: bool
    late: bool
    dispatched_at_ns: int | None
    dispatch_call_ns: int | None
    completed_at_ns: int
    total_ns: int | None
    retry_ns: int | None
    turnaround_ns: int | None


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """Write the failure of an attempt."""

    completion: Completion
    error: StepError


@dataclass(frozen=True, slots=True)
class RecordLost:
    """Write that an attempt was given up as lost. `last`: it was the step's last one, and its chain fails of it.

    `dead_lettered`: its message was found where no worker takes it from; else nothing was left of it.
    """

    chain: int
    step: int
    attempt: int
    last: bool
    dead_lettered: bool = False


@dataclass(frozen=True, slots=True)
class RecordDuplicate:
    """Write that a completion came which changes nothing."""

    completion: Completion


@dataclass(frozen=True, slots=True)
class Finish:
    """Write that a chain has ended. `wall_ns` is null where it failed or where a step of it was interrupted."""

    chain: int
    ok: bool
    wall_ns: int | None
    warmup: bool


@dataclass(frozen=True, slots=True)
class Past:
    """Where an earlier incarnation left a chain that it had begun."""

    chain: int
    step: int
    """The next one to be done; one more than there are where all are done."""
    payload: PayloadRef
    """That step's input."""
    attempt: int
    """The newest that was announced of that step; 0 if none was."""
    retryable: bool | None
    """Whether that attempt has failed in a way that may be tried again; null while it is unanswered."""
    ended: bool | None
    """Whether the chain has ended well; null while it has not ended."""
    attempts_before: int = 0
    """Attempts of that step that no longer count, because it was given a new set of them."""
    reopened: bool = False
    """Of a chain that has failed: it was given a new set of attempts, and none of them was announced."""
    lost: frozenset[int] = frozenset()
    """Attempts of that step that were given up as lost."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """Write that a failed chain has a new set of attempts, whichever incarnation comes to them."""

    chain: int


Action = Dispatch | Record | RecordFailure | RecordLost | RecordDuplicate | Finish | Reopen


@dataclass(slots=True)
class _Attempt:
    """Null stamps: announced by an earlier incarnation, and perhaps never sent."""

    dispatched_at_ns: int | None = None
    call_ns: int | None = None
    lost: bool = False


@dataclass(slots=True)
class _Chain:
    """One chain's state. The stamps are the orchestrator's monotonic clock."""

    number: int
    payload: PayloadRef
    steps: int
    state: State = State.WAITING
    step: int = 1
    attempt: int = 1
    attempts: dict[int, _Attempt] = field(default_factory=dict)
    """Those of the current step that are known to this incarnation of the orchestrator."""
    attempts_before: int = 0
    """See `Past`."""
    began_at_ns: int | None = None
    """First dispatch of all."""
    step_began_at_ns: int | None = None
    """First dispatch of the current step."""
    completed_at_ns: int | None = None
    """Completion of the step before the current one."""
    interrupted: bool = False
    """Begun by an earlier incarnation, or a step of it was: there is no wall to tell."""
    step_interrupted: bool = False
    """An earlier incarnation announced the current step, or completed the one before it."""

    @property
    def warmup(self) -> bool:
        return self.number < 0

    def forget(self, payload: PayloadRef) -> None:
        """Of a chain that is done nobody asks for more than its state, and a run may have a million of them."""
        self.payload, self.attempts = payload, {}
        self.began_at_ns = self.step_began_at_ns = self.completed_at_ns = None

    def move(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state][event]

    def can(self, event: Event) -> bool:
        return event in TRANSITIONS[self.state]


class Chains:
    """All chains of a run: warm-up chains first, then at most `concurrency` in flight at once.

    Every method returns the actions to perform, in their order.
    """

    def __init__(
        self,
        *,
        chains: int,
        steps: int,
        concurrency: int,
        warmup_steps: int,
        max_attempts: int,
        payload: PayloadRef,
        epoch: int = 1,
    ) -> None:
        self._epoch = epoch
        self._first_payload = payload
        self._max_attempts = max_attempts
        self._concurrency = concurrency
        warmups = concurrency if warmup_steps else 0
        self._chains = {-n: _Chain(-n, payload, warmup_steps) for n in range(1, warmups + 1)}
        self._chains |= {n: _Chain(n, payload, steps) for n in range(1, chains + 1)}
        self._waiting = deque(self._chains)
        self._open = 0
        self._left = len(self._chains)
        self._warmups_left = warmups

    @property
    def finished(self) -> bool:
        """Every chain has ended, well or not."""
        return self._left == 0

    @property
    def in_flight(self) -> int:
        """Chains that have begun and not ended."""
        return self._open

    def start(self) -> list[Action]:
        """Begin as many chains as may be in flight."""
        return list(self._start_more())

    def resume(self, pasts: Sequence[Past], *, retry_failed: bool = False) -> list[Action]:
        """Go on from where an earlier incarnation died, in place of `start`.

        `pasts`: the chains that it had begun. `retry_failed` gives failed chains a new set of attempts.
        """
        for past in pasts:
            self._take_up(self._chains[past.chain], past, retry_failed)
        self._count()
        # Not the reopened ones: they begin anew, in their turn, and a chain that ends here may be what they waited for.
        begun = [past for past in pasts if self._chains[past.chain].state is not State.WAITING]
        reopened = [Reopen(past.chain) for past in pasts if retry_failed and past.ended is False and not past.reopened]
        actions = [action for past in begun for action in self._go_on(self._chains[past.chain], past)]
        return [*reopened, *actions, *self._start_more()]

    def is_due(self, dispatch: Dispatch) -> bool:
        """Whether a dispatch still is what its chain needs."""
        chain = self._chains[dispatch.chain]
        return chain.state is State.DUE and (chain.step, chain.attempt) == (dispatch.step, dispatch.attempt)

    def sent(self, dispatch: Dispatch, dispatched_at_ns: int, call_ns: int) -> None:
        """A dispatch's call began at `dispatched_at_ns` and took `call_ns`."""
        chain = self._chains[dispatch.chain]
        chain.move(Event.SENT)
        chain.attempts[dispatch.attempt] = _Attempt(dispatched_at_ns, call_ns)
        if chain.step_began_at_ns is None:
            chain.step_began_at_ns = dispatched_at_ns
        if chain.began_at_ns is None:
            chain.began_at_ns = dispatched_at_ns

    def completed(self, completion: Completion, now_ns: int) -> list[Action]:
        """A completion of this run came in: done or failed, expected or not."""
        chain = self._chains.get(completion.chain)
        if chain is not None and self._is_ahead(chain, completion):
            self._skip_ahead(chain, completion)
        if chain is None or not self._is_expected(chain, completion):
            return [RecordDuplicate(completion)]
        if completion.error is not None:
            return list(self._attempt_failed(chain, completion, completion.error))
        if not chain.can(Event.STEP_DONE) or completion.output is None:
            return [RecordDuplicate(completion)]
        return list(self._step_done(chain, completion, completion.output, now_ns))

    def lost(self) -> list[Action]:
        """Nothing is left of any step in flight: each is given up, and tried again while attempts are left."""
        in_flight = [chain for chain in self._chains.values() if chain.state is State.IN_FLIGHT]
        return [action for chain in in_flight for action in self._send_or_lose(chain)]

    def dead_lettered(self, message: StepMessage) -> list[Action]:
        """No worker takes this message any more: its attempt is given up, if it is what its chain still waits for."""
        chain = self._chains.get(message.chain)
        if chain is None or chain.state is not State.IN_FLIGHT:
            return []
        newest = (message.step, message.attempt) == (chain.step, chain.attempt)
        if not newest or self._own_attempt(chain, message) is None:
            return []
        return list(self._lose(chain, dead_lettered=True))

    def _take_up(self, chain: _Chain, past: Past, retry_failed: bool) -> None:
        chain.step, chain.payload, chain.attempts_before = past.step, past.payload, past.attempts_before
        chain.interrupted = chain.step_interrupted = True
        chain.attempt = past.attempt if past.ended is False else max(1, past.attempt)
        if past.attempt:
            chain.attempts[past.attempt] = _Attempt()
        chain.attempts |= {attempt: _Attempt(lost=True) for attempt in past.lost}
        reopened = past.ended is False and (retry_failed or past.reopened)
        # A failed chain whose last step came in all the same has nothing to try again.
        complete_after_all = reopened and past.step > chain.steps
        if past.ended is not None and not complete_after_all:
            chain.state = State.FINISHED if past.ended else State.FAILED
        else:
            chain.state = State.IN_FLIGHT if past.attempt else State.DUE
        if chain.state is State.FAILED and reopened:
            chain.move(Event.REOPENED)
            chain.attempts_before, chain.attempt = past.attempt, past.attempt + 1

    def _count(self) -> None:
        """From the chains' states, after these were set."""
        states = {number: chain.state for number, chain in self._chains.items()}
        left = [number for number, state in states.items() if state not in (State.FINISHED, State.FAILED)]
        self._left = len(left)
        self._warmups_left = sum(number < 0 for number in left)
        self._waiting = deque(number for number in left if states[number] is State.WAITING)
        self._open = self._left - len(self._waiting)

    def _go_on(self, chain: _Chain, past: Past) -> Iterator[Action]:
        if chain.state is State.DUE and chain.step > chain.steps:
            chain.move(Event.CHAIN_DONE)
            yield from self._end(chain)
        elif chain.state is State.DUE:
            yield Dispatch(chain.number, chain.step, chain.attempt, chain.payload)
        elif chain.state is State.IN_FLIGHT and past.retryable is not None:
            yield from self._try_again_or_give_up(chain, past.retryable)

    def _is_expected(self, chain: _Chain, completion: Completion) -> bool:
        """Of an attempt at the current step that this incarnation has sent, or an earlier one may have."""
        if completion.step != chain.step or completion.attempt > chain.attempt:
            return False
        return self._is_older(completion) or self._own_attempt(chain, completion) is not None

    def _is_ahead(self, chain: _Chain, completion: Completion) -> bool:
        """What an older incarnation did after the copy was made that this one was resumed from."""
        if not (self._is_older(completion) and completion.ok and chain.can(Event.SKIPPED_AHEAD)):
            return False
        # Of a chain that waits, no attempt was sent by this incarnation: any one of its step is further.
        newest = 0 if chain.state is State.WAITING else chain.attempt
        return completion.step <= chain.steps and (completion.step, completion.attempt) > (chain.step, newest)

    def _is_older(self, completion: Completion) -> bool:
        """Answers an earlier incarnation, the first of which had epoch 1: what tells of 0 answers no orchestrator."""
        return 0 < completion.epoch < self._epoch

    def _skip_ahead(self, chain: _Chain, completion: Completion) -> None:
        if chain.state is State.WAITING:
            self._waiting.remove(chain.number)
            self._open += 1
        chain.move(Event.SKIPPED_AHEAD)
        if completion.step > chain.step:
            chain.attempts = {}
        chain.step, chain.attempt = completion.step, completion.attempt
        chain.interrupted = chain.step_interrupted = True

    def _step_done(self, chain: _Chain, completion: Completion, output: PayloadRef, now_ns: int) -> Iterator[Action]:
        yield self._record(chain, completion, now_ns)
        if chain.state is State.FAILED:
            # Recorded, and that is all: the chain's end is already told.
            chain.move(Event.STEP_DONE)
            # Nothing of the step after it was ever sent.
            chain.step, chain.attempt, chain.payload = chain.step + 1, 0, output
            return
        chain.completed_at_ns = now_ns
        if completion.step == chain.steps:
            chain.move(Event.CHAIN_DONE)
            yield from self._end(chain)
            return
        chain.move(Event.STEP_DONE)
        chain.step, chain.attempt, chain.payload = chain.step + 1, 1, output
        chain.attempts, chain.attempts_before, chain.step_began_at_ns = {}, 0, None
        chain.step_interrupted = False
        yield Dispatch(chain.number, chain.step, chain.attempt, chain.payload)

    def _record(self, chain: _Chain, completion: Completion, now_ns: int) -> Record:
        given_up = chain.attempts.get(completion.attempt)
        late = given_up is not None and given_up.lost  # whichever incarnation it answers
        attempt = self._own_attempt(chain, completion)
        if attempt is None or attempt.dispatched_at_ns is None:
            chain.interrupted = True
            return Record(completion, chain.warmup, late, None, None, now_ns, None, None, None)
        turnaround_ns, retry_ns = self._before(chain, attempt.dispatched_at_ns)
        return Record(
            completion=completion,
            warmup=chain.warmup,
            late=late,
            dispatched_at_ns=attempt.dispatched_at_ns,
            dispatch_call_ns=attempt.call_ns,
            completed_at_ns=now_ns,
            total_ns=now_ns - attempt.dispatched_at_ns,
            retry_ns=retry_ns,
            turnaround_ns=turnaround_ns,
        )

    def _own_attempt(self, chain: _Chain, message: Completion | StepMessage) -> _Attempt | None:
        """The attempt that a message is of. Null if this incarnation knows nothing of it but a like number."""
        attempt = chain.attempts.get(message.attempt)
        if attempt is None or (attempt.dispatched_at_ns is not None and message.epoch != self._epoch):
            return None
        return attempt

    @staticmethod
    def _before(chain: _Chain, dispatched_at_ns: int) -> tuple[int | None, int | None]:
        """Turnaround and retry of the current step; null where they reach back to an earlier incarnation."""
        if chain.step_interrupted:
            return None, None
        assert chain.step_began_at_ns is not None
        previous_ns = chain.completed_at_ns
        turnaround_ns = 0 if previous_ns is None else chain.step_began_at_ns - previous_ns
        return turnaround_ns, dispatched_at_ns - chain.step_began_at_ns

    def _attempt_failed(self, chain: _Chain, completion: Completion, error: StepError) -> Iterator[Action]:
        newest = chain.state is State.IN_FLIGHT and completion.attempt == chain.attempt
        if not newest or self._own_attempt(chain, completion) is None:
            yield RecordDuplicate(completion)
            return
        yield RecordFailure(completion, error)
        yield from self._try_again_or_give_up(chain, error.retryable)

    def _send_or_lose(self, chain: _Chain) -> Iterator[Action]:
        if chain.attempts[chain.attempt].dispatched_at_ns is not None:
            yield from self._lose(chain, dead_lettered=False)
            return
        # Its orchestrator may have died before it sent what it had announced: this one sends that same attempt.
        chain.move(Event.TRY_AGAIN)
        yield Dispatch(chain.number, chain.step, chain.attempt, chain.payload)

    def _lose(self, chain: _Chain, *, dead_lettered: bool) -> Iterator[Action]:
        chain.attempts[chain.attempt].lost = True
        last = not self._has_attempts_left(chain)
        yield RecordLost(chain.number, chain.step, chain.attempt, last, dead_lettered)
        yield from self._try_again_or_give_up(chain, retryable=True)

    def _try_again_or_give_up(self, chain: _Chain, retryable: bool) -> Iterator[Action]:
        if retryable and self._has_attempts_left(chain):
            chain.move(Event.TRY_AGAIN)
            chain.attempt += 1
            yield Dispatch(chain.number, chain.step, chain.attempt, chain.payload)
        else:
            chain.move(Event.GIVE_UP)
            yield from self._end(chain)

    def _has_attempts_left(self, chain: _Chain) -> bool:
        return chain.attempt - chain.attempts_before < self._max_attempts

    def _end(self, chain: _Chain) -> Iterator[Action]:
        ok = chain.state is State.FINISHED
        wall_ns = None
        if ok and chain.began_at_ns is not None and chain.completed_at_ns is not None and not chain.interrupted:
            wall_ns = chain.completed_at_ns - chain.began_at_ns
        if ok:
            chain.forget(self._first_payload)
        self._open -= 1
        self._left -= 1
        self._warmups_left -= chain.warmup
        yield Finish(chain.number, ok, wall_ns, chain.warmup)
        yield from self._start_more()

    def _start_more(self) -> Iterator[Action]:
        while self._waiting and self._open < self._concurrency and self._may_start(self._waiting[0]):
            chain = self._chains[self._waiting.popleft()]
            self._open += 1
            chain.move(Event.START)
            yield Dispatch(chain.number, chain.step, chain.attempt, chain.payload)

    def _may_start(self, number: int) -> bool:
        """Measured chains begin when every warm-up chain has ended."""
        return number < 0 or self._warmups_left == 0
