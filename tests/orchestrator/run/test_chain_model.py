"""The state machine against a model that knows only the promises: what may be counted, and when."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.run.chain import (
    Action,
    Chains,
    Dispatch,
    Finish,
    Record,
    RecordDuplicate,
    RecordFailure,
    RecordLost,
)
from tests.factories import make_done, make_failed, make_ref

Attempt = tuple[int, int, int]
"""(chain, step, attempt)"""

LONGEST_PAUSE_NS = 1_000_000


class Model:
    """What a run has done so far, told by the actions alone; refuses an action that breaks a promise."""

    def __init__(self, *, chains: int, steps: int, concurrency: int, warmup_steps: int, max_attempts: int) -> None:
        self.steps = dict.fromkeys(range(1, chains + 1), steps)
        if warmup_steps:
            self.steps |= dict.fromkeys(range(-concurrency, 0), warmup_steps)
        self.concurrency = concurrency
        self.max_attempts = max_attempts
        self.recorded: dict[int, list[Record]] = {chain: [] for chain in self.steps}
        self.ended: dict[int, bool] = {}
        self.newest: dict[int, Dispatch] = {}
        """The last dispatch that was decided, by chain."""
        self.alive: set[Attempt] = set()
        """Sent, and not heard of since."""
        self.given_up: set[Attempt] = set()
        self.sent_at_ns: dict[Attempt, int] = {}

    def saw(self, action: Action) -> None:
        match action:
            case Dispatch():
                self._dispatch(action)
            case Record():
                self._record(action)
            case RecordLost(chain, step, attempt):
                assert (chain, step, attempt) in self.alive
                self.alive.discard((chain, step, attempt))
                self.given_up.add((chain, step, attempt))
            case Finish():
                self._finish(action)
            case RecordFailure() | RecordDuplicate():
                pass  # judged where the completion is known, by `counts`

    def begun(self) -> set[int]:
        return set(self.newest)

    def in_flight(self) -> set[int]:
        return self.begun() - set(self.ended)

    def _dispatch(self, dispatch: Dispatch) -> None:
        chain = dispatch.chain
        assert chain not in self.ended
        assert 1 <= dispatch.attempt <= self.max_attempts
        assert dispatch.step == len(self.recorded[chain]) + 1 <= self.steps[chain]
        before = self.newest.get(chain)
        again = before is not None and before.step == dispatch.step
        assert dispatch.attempt == (before.attempt + 1 if before and again else 1)
        if chain > 0:
            assert all(number in self.ended for number in self.steps if number < 0), "warm-ups come first"
        self.newest[chain] = dispatch
        assert len(self.in_flight()) <= self.concurrency

    def _record(self, record: Record) -> None:
        done = record.completion
        attempt = (done.chain, done.step, done.attempt)
        assert done.step == len(self.recorded[done.chain]) + 1, "in order, and once"
        assert record.late == (attempt in self.given_up)
        assert record.warmup == (done.chain < 0)
        assert record.dispatched_at_ns == self.sent_at_ns[attempt]
        self.recorded[done.chain].append(record)
        self.alive -= {known for known in self.alive if known[:2] == attempt[:2]}

    def _finish(self, finish: Finish) -> None:
        chain = finish.chain
        assert chain in self.begun()
        assert chain not in self.ended
        self.ended[chain] = finish.ok
        assert finish.ok == (len(self.recorded[chain]) == self.steps[chain])
        assert finish.warmup == (chain < 0)
        assert finish.wall_ns == (self._wall_ns(chain) if finish.ok else None)

    def _wall_ns(self, chain: int) -> int:
        """By the parts, and by the raw stamps, which must agree to the nanosecond."""
        records = self.recorded[chain]
        parts = [(record.turnaround_ns, record.retry_ns, record.total_ns) for record in records]
        wall_ns = 0
        for part in (part for of_step in parts for part in of_step):
            assert part is not None
            assert part >= 0
            wall_ns += part
        first_ns = min(at_ns for (number, step, _), at_ns in self.sent_at_ns.items() if (number, step) == (chain, 1))
        assert wall_ns == records[-1].completed_at_ns - first_ns
        assert records[0].turnaround_ns == 0
        return wall_ns


class Run(RuleBasedStateMachine):
    """A queue that delivers what was sent in any order and any number of times, and a fleet that does anything."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0

    @initialize(
        chains=st.integers(1, 4),
        steps=st.integers(1, 3),
        concurrency=st.integers(1, 3),
        warmup_steps=st.integers(0, 2),
        max_attempts=st.integers(1, 3),
    )
    def begin(self, **sizes: int) -> None:
        self.chains = Chains(**sizes, payload=make_ref())
        self.model = Model(**sizes)
        self.due: list[Dispatch] = []
        self.messages: list[Attempt] = []
        self._saw(self.chains.start())

    def _saw(self, actions: list[Action]) -> None:
        for action in actions:
            self.model.saw(action)
        self.due += [action for action in actions if isinstance(action, Dispatch)]

    def _later(self, pause_ns: int) -> int:
        self.now_ns += pause_ns
        return self.now_ns

    @precondition(lambda self: self.due)
    @rule(data=st.data(), pause_ns=st.integers(0, LONGEST_PAUSE_NS))
    def send(self, data: st.DataObject, pause_ns: int) -> None:
        dispatch = self.due.pop(data.draw(st.integers(0, len(self.due) - 1)))
        of_newest = self.model.newest[dispatch.chain] == dispatch
        still_wanted = of_newest and dispatch.chain not in self.model.ended
        assert self.chains.is_due(dispatch) == still_wanted
        if not still_wanted:
            return
        attempt = (dispatch.chain, dispatch.step, dispatch.attempt)
        self.model.sent_at_ns[attempt] = at_ns = self._later(pause_ns)
        self.model.alive.add(attempt)
        self.messages.append(attempt)
        self.chains.sent(dispatch, at_ns, pause_ns)
        assert not self.chains.is_due(dispatch)

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), pause_ns=st.integers(0, LONGEST_PAUSE_NS))
    def done(self, data: st.DataObject, pause_ns: int) -> None:
        chain, step, attempt = data.draw(st.sampled_from(self.messages))
        new = step > len(self.model.recorded[chain])
        completion = make_done(chain=chain, step=step, attempt=attempt)
        actions = self.chains.completed(completion, self._later(pause_ns))
        assert isinstance(actions[0], Record if new else RecordDuplicate)
        assert new or len(actions) == 1
        self._saw(actions)

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), retryable=st.booleans(), pause_ns=st.integers(0, LONGEST_PAUSE_NS))
    def fails(self, data: st.DataObject, retryable: bool, pause_ns: int) -> None:
        attempt = data.draw(st.sampled_from(self.messages))
        identity: dict[str, Any] = dict(zip(("chain", "step", "attempt"), attempt, strict=True))
        counts = attempt in self.model.alive
        self.model.alive.discard(attempt)
        actions = self.chains.completed(make_failed(retryable, **identity), self._later(pause_ns))
        assert isinstance(actions[0], RecordFailure if counts else RecordDuplicate)
        assert counts or len(actions) == 1
        if counts:
            goes_on = retryable and attempt[2] < self.model.max_attempts
            assert isinstance(actions[1], Dispatch if goes_on else Finish)
        self._saw(actions)

    @rule()
    def lost(self) -> None:
        alive = set(self.model.alive)
        actions = self.chains.lost()
        told = {(lost.chain, lost.step, lost.attempt) for lost in actions if isinstance(lost, RecordLost)}
        assert told == alive
        self._saw(actions)

    @rule(chain=st.integers(-5, 6), step=st.integers(1, 5), attempt=st.integers(1, 5), failed=st.booleans())
    def something_that_was_never_sent(self, chain: int, step: int, attempt: int, failed: bool) -> None:
        newest = self.model.newest.get(chain)
        # An attempt that is decided and unsent can be answered: by the message of an incarnation before this one.
        decided = newest is not None and step == newest.step and attempt <= newest.attempt
        if (chain, step, attempt) in self.messages or decided:
            return
        identity: dict[str, Any] = {"chain": chain, "step": step, "attempt": attempt}
        completion = make_failed(**identity) if failed else make_done(**identity)
        assert self.chains.completed(completion, self.now_ns) == [RecordDuplicate(completion)]

    @invariant()
    def counts_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        assert self.chains.in_flight == len(self.model.in_flight())
        assert self.chains.finished == (len(self.model.ended) == len(self.model.steps))

    def teardown(self) -> None:
        """Whatever happened, a fleet that works from now on brings the run to its end."""
        if not hasattr(self, "model"):
            return
        most_turns = sum(self.model.steps.values()) + 1
        for _ in range(most_turns):
            for dispatch in [dispatch for dispatch in self.due if self.chains.is_due(dispatch)]:
                self.model.sent_at_ns[dispatch.chain, dispatch.step, dispatch.attempt] = self._later(1)
                self.model.alive.add((dispatch.chain, dispatch.step, dispatch.attempt))
                self.chains.sent(dispatch, self.now_ns, 1)
            self.due = []
            for chain, step, attempt in sorted(self.model.alive):
                completion = make_done(chain=chain, step=step, attempt=attempt)
                self._saw(self.chains.completed(completion, self._later(1)))
            self.counts_agree()
        assert self.chains.finished


TestRun = Run.TestCase
TestRun.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
