from __future__ import annotations

import ast
import gc
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.channels import Arrival
from orchestrator.run import chain as chain_module
from orchestrator.run import history
from orchestrator.run.chain import (
    TRANSITIONS,
    Action,
    Chains,
    Dispatch,
    Event,
    Finish,
    Past,
    Record,
    RecordDuplicate,
    RecordFailure,
    RecordLost,
    Reopen,
    State,
)
from orchestrator.run.lines import Event as LineEvent
from orchestrator.run.lines import Line
from orchestrator.run.telling import announcement, lines_of
from stepbench.messages import Completion
from tests.factories import make_done, make_failed, make_message, make_ref

MAX_ATTEMPTS = 2
FIRST_PAYLOAD = LineEvent(event="first_payload", at="now", payload=make_ref())

# One chain of two steps, two attempts at each. `step.attempt`; what happens, and what the machine wants done about it.
CASES: dict[str, list[tuple[str, str]]] = {
    "every step is done at once": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("sent", ""),
        ("done 2.1", "record 2.1, finished"),
    ],
    "a completion that comes twice is a duplicate": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("done 1.1", "duplicate 1.1"),
        ("sent", ""),
        ("done 1.1", "duplicate 1.1"),
    ],
    "a completion after the chain's end is a duplicate": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("sent", ""),
        ("done 2.1", "record 2.1, finished"),
        ("done 2.1", "duplicate 2.1"),
        ("fails 2.1", "duplicate 2.1"),
    ],
    "a failed attempt is tried again": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails 1.1", "failure 1.1, dispatch 1.2"),
        ("sent", ""),
        ("done 1.2", "record 1.2, dispatch 2.1"),
    ],
    "a failed last attempt fails the chain": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails 1.1", "failure 1.1, dispatch 1.2"),
        ("sent", ""),
        ("fails 1.2", "failure 1.2, failed"),
        ("fails 1.2", "duplicate 1.2"),
    ],
    "a failure for good fails the chain with attempts left": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails for good 1.1", "failure 1.1, failed"),
    ],
    "a failure that comes twice counts once": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails 1.1", "failure 1.1, dispatch 1.2"),
        ("fails 1.1", "duplicate 1.1"),
        ("sent", ""),
        ("fails 1.1", "duplicate 1.1"),
    ],
    "a later step begins with its first attempt again": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails 1.1", "failure 1.1, dispatch 1.2"),
        ("sent", ""),
        ("done 1.2", "record 1.2, dispatch 2.1"),
        ("sent", ""),
        ("fails 2.1", "failure 2.1, dispatch 2.2"),
    ],
    "a lost step is dispatched again": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("done 1.2", "record 1.2, dispatch 2.1"),
    ],
    "a step lost too often fails its chain": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("lost", "lost for good 1.2, failed"),
        ("lost", ""),
    ],
    "what was given up as lost is accepted when it comes late": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("done 1.1", "record late 1.1, dispatch 2.1"),
        ("done 1.2", "duplicate 1.2"),
    ],
    "what comes late before the next attempt was sent makes that attempt void": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("done 1.1", "record late 1.1, dispatch 2.1"),
        ("due 1.2", "no"),
        ("due 2.1", "yes"),
    ],
    "the last step may come late too": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("sent", ""),
        ("lost", "lost 2.1, dispatch 2.2"),
        ("done 2.1", "record late 2.1, finished"),
        ("due 2.2", "no"),
    ],
    "a failure of a lost attempt changes nothing": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("fails for good 1.1", "duplicate 1.1"),
        ("done 1.2", "record 1.2, dispatch 2.1"),
    ],
    "a failed chain's step is recorded when it is done after all, and the chain stays failed": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("fails 1.2", "failure 1.2, failed"),
        ("done 1.1", "record late 1.1"),
        ("done 1.2", "duplicate 1.2"),
        ("fails 1.2", "duplicate 1.2"),
        ("done 2.1", "duplicate 2.1"),
        ("resume", ""),
        ("done 2.1", "duplicate 2.1"),
    ],
    "a failed chain's last step too": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("sent", ""),
        ("fails for good 2.1", "failure 2.1, failed"),
        ("done 2.1", "record 2.1"),
        ("done 2.1", "duplicate 2.1"),
    ],
    "nothing that was never sent is accepted": [
        ("done 1.1", "duplicate 1.1"),
        ("fails 1.1", "duplicate 1.1"),
        ("start", "dispatch 1.1"),
        ("fails 1.1", "duplicate 1.1"),
        ("sent", ""),
        ("done 1.2", "duplicate 1.2"),
        ("done 2.1", "duplicate 2.1"),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("done 2.1", "duplicate 2.1"),
    ],
    "what is not sent is not lost": [
        ("start", "dispatch 1.1"),
        ("lost", ""),
        ("due 1.1", "yes"),
    ],
    "an orchestrator that died before anything was announced is resumed from the beginning": [
        ("start", "dispatch 1.1"),
        ("resume", "dispatch 1.1"),
    ],
    "what was announced before a death is awaited": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("resume", ""),
        ("done 1.1", "record without times 1.1, dispatch 2.1"),
        ("sent", ""),
        ("done 2.1", "record 2.1, finished"),
    ],
    "what was announced before a death and perhaps never sent is sent as the same attempt, and then lost as any is": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("resume", ""),
        ("lost", "dispatch 1.1"),
        ("sent", ""),
        ("failed by the older one 1.1", "duplicate 1.1"),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("done by the older one 1.1", "record late without times 1.1, dispatch 2.1"),
        ("due 1.2", "no"),
    ],
    "it is sent again by whoever comes next": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("resume", ""),
        ("lost", "dispatch 1.1"),
        ("resume", ""),
        ("lost", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
    ],
    "what was announced before a death and is found dead-lettered was sent": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("resume", ""),
        ("dead-lettered 1.1", "lost 1.1, dispatch 1.2"),
    ],
    "what was given up as lost before a death is late after it": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("lost", "lost 1.1, dispatch 1.2"),
        ("sent", ""),
        ("resume", ""),
        ("fails for good 1.1", "duplicate 1.1"),
        ("done 1.1", "record late without times 1.1, dispatch 2.1"),
        ("sent", ""),
        ("resume", ""),
        ("done 2.1", "record without times 2.1, finished"),
    ],
    "attempts are counted across deaths": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails 1.1", "failure 1.1, dispatch 1.2"),
        ("sent", ""),
        ("resume", ""),
        ("fails 1.2", "failure 1.2, failed"),
    ],
    "a failure that nothing had followed from is followed up": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails 1.1", "failure 1.1, dispatch 1.2"),
        ("resume", "dispatch 1.2"),
    ],
    "a step after the one that was recorded last is due": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("resume", "dispatch 2.1"),
        ("done 1.1", "duplicate 1.1"),
        ("sent", ""),
        ("done 2.1", "record 2.1, finished"),
    ],
    "what has ended stays ended": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails for good 1.1", "failure 1.1, failed"),
        ("resume", ""),
        ("done 1.1", "record without times 1.1"),
        ("resume", ""),
        ("done 1.1", "duplicate 1.1"),
    ],
    "a failed chain gets a new set of attempts when it is asked for": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails for good 1.1", "failure 1.1, failed"),
        ("resume and retry", "reopened, dispatch 1.2"),
        ("sent", ""),
        ("fails 1.2", "failure 1.2, dispatch 1.3"),
        ("sent", ""),
        ("resume", ""),
        ("fails 1.3", "failure 1.3, failed"),
    ],
    "a failed chain that waits for its new set takes an earlier attempt's work, and no step twice": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("sent", ""),
        ("lost", "lost 2.1, dispatch 2.2"),
        ("sent", ""),
        ("fails 2.2", "failure 2.2, failed"),
        ("resume and retry without beginning", "reopened"),
        ("done by the older one 1.1", "duplicate 1.1"),
        ("failed by the older one 2.2", "duplicate 2.2"),
        ("done by the older one 2.1", "record late without times 2.1, finished"),
    ],
    "a failed chain whose last step came late is complete when it is to be tried again": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("done 1.1", "record 1.1, dispatch 2.1"),
        ("sent", ""),
        ("fails for good 2.1", "failure 2.1, failed"),
        ("done 2.1", "record 2.1"),
        ("resume", ""),
        ("resume and retry", "reopened, finished"),
    ],
    "a failed chain that was to be tried again still is after a death": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("fails for good 1.1", "failure 1.1, failed"),
        ("resume and retry without beginning", "reopened"),
        ("resume", "dispatch 1.2"),
        ("sent", ""),
        ("fails for good 1.2", "failure 1.2, failed"),
        ("resume", ""),
    ],
    "what an older incarnation did beyond the copy is taken as it is": [
        ("start", "dispatch 1.1"),
        ("resume", "dispatch 1.1"),
        ("sent", ""),
        ("done by the older one 2.1", "record without times 2.1, finished"),
    ],
    "it is taken before the step that is thought to be next is sent": [
        ("start", "dispatch 1.1"),
        ("resume", "dispatch 1.1"),
        ("done by the older one 2.1", "record without times 2.1, finished"),
        ("due 1.1", "no"),
    ],
    "it is taken for a chain that is thought not to have begun": [
        ("resume without beginning", ""),
        ("done by the older one 1.1", "record without times 1.1, dispatch 2.1"),
    ],
    "an attempt of the older one that has the number of one of ours is not mistaken for it": [
        ("start", "dispatch 1.1"),
        ("resume", "dispatch 1.1"),
        ("sent", ""),
        ("failed by the older one 1.1", "duplicate 1.1"),
        ("done by the older one 1.1", "record without times 1.1, dispatch 2.1"),
    ],
    "steps that no older incarnation can have sent are not skipped": [
        ("start", "dispatch 1.1"),
        ("sent", ""),
        ("resume", ""),
        ("done 2.1", "duplicate 2.1"),
        ("done by the older one 3.1", "duplicate 3.1"),
    ],
}


def make_chains(**changes: Any) -> Chains:
    values: dict[str, Any] = {
        "chains": 1,
        "steps": 2,
        "concurrency": 1,
        "warmup_steps": 0,
        "max_attempts": MAX_ATTEMPTS,
        "payload": make_ref(),
    }
    return Chains(**values | changes)


def told(action: Action) -> str:
    """An action in the words of the table."""
    match action:
        case Dispatch(step=step, attempt=attempt):
            return f"dispatch {step}.{attempt}"
        case Record(completion=done, late=late, total_ns=total_ns):
            untimed = "without times " if total_ns is None else ""
            return f"record {'late ' if late else ''}{untimed}{done.step}.{done.attempt}"
        case RecordFailure(completion=done) | RecordDuplicate(completion=done):
            kind = "failure" if isinstance(action, RecordFailure) else "duplicate"
            return f"{kind} {done.step}.{done.attempt}"
        case RecordLost(step=step, attempt=attempt, last=last):
            return f"lost {'for good ' if last else ''}{step}.{attempt}"
        case Finish(ok=ok):
            return "finished" if ok else "failed"
        case Reopen():
            return "reopened"


class Play:
    """Plays the events of a case to one chain, and keeps the lines that a run would have written."""

    def __init__(self) -> None:
        self.chains = make_chains()
        self.lines: list[Line] = [FIRST_PAYLOAD]
        self._epoch = 1
        self._dispatched: dict[str, Dispatch] = {}
        self._newest: Dispatch | None = None
        self._now_ns = 0

    def happens(self, event: str) -> str:
        what, _, number = event.rpartition(" ")
        self._now_ns += 1_000
        if event == "sent":
            assert self._newest is not None
            self.lines.append(announcement(self._newest, self._epoch, "s3://bucket/prefix"))
            self.chains.sent(self._newest, self._now_ns, 10)
            return ""
        if what == "due":
            return "yes" if self.chains.is_due(self._dispatched[number]) else "no"
        actions = self._actions(what, number, event)
        for action in actions:
            if isinstance(action, Dispatch):
                self._dispatched[f"{action.step}.{action.attempt}"] = self._newest = action
        return ", ".join(told(action) for action in actions)

    def _actions(self, what: str, number: str, event: str) -> list[Action]:
        if event.startswith("resume"):
            return self._resumed(event)
        arrivals: list[Arrival] = []
        if event in ("start", "lost"):
            happen: Callable[[], list[Action]] = getattr(self.chains, event)
            actions = happen()
        elif what == "dead-lettered":
            step, _, attempt = number.partition(".")
            message = make_message(step=int(step), attempt=int(attempt), epoch=self._epoch - 1)
            actions = self.chains.dead_lettered(message)
        else:
            completion = self._completion(what, number)
            arrivals = [Arrival(completion, self._now_ns, 0, 1, "receipt")]
            actions = self.chains.completed(completion, self._now_ns)
        self.lines += lines_of(actions, arrivals, "r1")
        return actions

    def _resumed(self, event: str) -> list[Action]:
        self._epoch += 1
        past = history.read(self.lines)
        self.chains = make_chains(epoch=self._epoch, concurrency=0 if event.endswith("beginning") else 1)
        actions = self.chains.resume(past.chains, retry_failed="retry" in event)
        self.lines += lines_of(actions, [], "r1")
        return actions

    def _completion(self, what: str, number: str) -> Completion:
        step, _, attempt = number.partition(".")
        epoch = self._epoch - 1 if what.endswith("older one") else self._epoch
        identity: dict[str, Any] = {"step": int(step), "attempt": int(attempt), "epoch": epoch}
        if what.startswith("done"):
            return make_done(**identity)
        return make_failed(retryable=what != "fails for good", **identity)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_happens_to_a_chain_and_what_is_done_about_it(case: list[tuple[str, str]]) -> None:
    play = Play()
    assert [(event, play.happens(event)) for event, _ in case] == case


def test_the_cases_go_through_every_transition_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[tuple[State, Event]] = set()

    class Watched(dict[Event, State]):
        def __init__(self, state: State) -> None:
            super().__init__(TRANSITIONS[state])
            self._state = state

        def __getitem__(self, event: Event) -> State:
            reached.add((self._state, event))
            return super().__getitem__(event)

    watched = {state: Watched(state) for state in TRANSITIONS}
    monkeypatch.setattr(chain_module, "TRANSITIONS", watched)
    for case in CASES.values():
        play = Play()
        for event, _ in case:
            play.happens(event)

    assert reached == {(state, event) for state, events in TRANSITIONS.items() for event in events}


def test_the_state_machine_imports_no_clock_no_queue_and_no_s3() -> None:
    tree = ast.parse(inspect.getsource(chain_module))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in imports if isinstance(node, ast.Import) for name in node.names}
    assert modules == {"__future__", "collections", "collections.abc", "dataclasses", "enum", "stepbench.messages"}


def test_a_step_hands_its_output_to_the_next_and_a_failed_attempt_reads_the_same_input_again() -> None:
    chains = make_chains()
    (first,) = [action for action in chains.start() if isinstance(action, Dispatch)]
    chains.sent(first, 0, 1)
    (again,) = [action for action in chains.completed(make_failed(), 1) if isinstance(action, Dispatch)]
    chains.sent(again, 2, 1)
    output = make_ref("made by the second attempt")
    actions = chains.completed(make_done(attempt=2, output=output), 3)

    assert first.payload == again.payload == make_ref()
    assert [action.payload for action in actions if isinstance(action, Dispatch)] == [output]


def test_the_times_of_a_step_are_differences_of_the_orchestrators_own_stamps() -> None:
    chains = make_chains(steps=1)
    (first,) = [action for action in chains.start() if isinstance(action, Dispatch)]
    chains.sent(first, 1_000, 50)
    (again,) = [action for action in chains.completed(make_failed(), 1_700) if isinstance(action, Dispatch)]
    chains.sent(again, 2_000, 60)
    record, finish = chains.completed(make_done(attempt=2), 2_900)

    assert isinstance(record, Record)
    assert (record.dispatched_at_ns, record.dispatch_call_ns, record.completed_at_ns) == (2_000, 60, 2_900)
    assert (record.turnaround_ns, record.retry_ns, record.total_ns) == (0, 1_000, 900)
    assert finish == Finish(chain=1, ok=True, wall_ns=1_900, warmup=False)


def test_a_completion_of_an_attempt_that_another_incarnation_sent_has_no_times_and_leaves_the_chain_no_wall() -> None:
    chains = make_chains(epoch=2)
    chains.start()
    record, dispatch = chains.completed(make_done(epoch=1), 5_000)
    assert isinstance(record, Record)
    assert (record.dispatched_at_ns, record.dispatch_call_ns) == (None, None)
    assert (record.turnaround_ns, record.retry_ns, record.total_ns) == (None, None, None)
    assert record.completed_at_ns == 5_000

    assert isinstance(dispatch, Dispatch)
    chains.sent(dispatch, 6_000, 1)
    record, finish = chains.completed(make_done(step=2, epoch=2), 7_500)
    assert isinstance(record, Record)
    assert (record.turnaround_ns, record.retry_ns, record.total_ns) == (1_000, 0, 1_500)
    assert finish == Finish(chain=1, ok=True, wall_ns=None, warmup=False)


def test_the_stamps_of_one_step_are_not_taken_for_those_of_the_next() -> None:
    chains = make_chains(epoch=2)
    (first,) = [action for action in chains.start() if isinstance(action, Dispatch)]
    chains.sent(first, 0, 1)
    chains.completed(make_done(epoch=2), 100)
    record, _ = chains.completed(make_done(step=2, epoch=1), 200)
    assert isinstance(record, Record)
    assert record.dispatched_at_ns is None
    assert record.total_ns is None


def test_chains_that_are_tried_again_begin_once_also_where_another_one_ends_at_once() -> None:
    complete = Past(chain=1, step=3, payload=make_ref(), attempt=0, retryable=None, ended=False)
    failed = Past(chain=2, step=1, payload=make_ref(), attempt=1, retryable=False, ended=False)
    actions = make_chains(chains=2).resume([complete, failed], retry_failed=True)
    assert [told(action) for action in actions] == ["reopened", "reopened", "finished", "dispatch 1.2"]


def test_completions_of_chains_that_the_run_does_not_have_are_duplicates() -> None:
    chains = make_chains()
    chains.start()
    for number in (0, 2, -1):
        (action,) = chains.completed(make_done(chain=number), 1)
        assert isinstance(action, RecordDuplicate)


def test_what_answers_no_orchestrator_that_ever_was_moves_no_chain() -> None:
    for step, attempt in ((1, 1), (2, 9)):
        chains = make_chains(chains=2, epoch=1)
        (dispatch,) = chains.start()
        assert isinstance(dispatch, Dispatch)
        chains.sent(dispatch, 0, 1)
        for number in (1, 2):
            (action,) = chains.completed(make_done(chain=number, step=step, attempt=attempt, epoch=0), 1)
            assert isinstance(action, RecordDuplicate)


def test_a_duplicate_tells_nothing_of_where_its_chain_was_left() -> None:
    duplicates = [LineEvent(event="duplicate", at="now", chain=number, step=1, attempt=1) for number in (-1, 1, 9)]
    assert history.read([FIRST_PAYLOAD, *duplicates]).chains == ()


def test_a_step_is_sent_once() -> None:
    chains = make_chains()
    (dispatch,) = chains.start()
    assert isinstance(dispatch, Dispatch)
    chains.sent(dispatch, 0, 1)
    with pytest.raises(KeyError):
        chains.sent(dispatch, 1, 1)


def test_a_chain_that_is_done_keeps_nothing_of_its_steps() -> None:
    chains = make_chains(chains=2)
    (first,) = [action for action in chains.start() if isinstance(action, Dispatch)]
    chains.sent(first, 0, 1)
    (second,) = [action for action in chains.completed(make_done(), 1) if isinstance(action, Dispatch)]
    output = weakref.ref(second.payload)
    chains.sent(second, 2, 1)
    chains.completed(make_done(step=2), 3)
    del second
    gc.collect()

    assert not chains.finished
    assert output() is None


def dispatched_once(**changes: Any) -> Chains:
    """Chains whose first is in flight."""
    chains = make_chains(**changes)
    (dispatch,) = chains.start()
    assert isinstance(dispatch, Dispatch)
    chains.sent(dispatch, 1_000, 10)
    return chains


@pytest.mark.parametrize(
    ("found", "happens"),
    [
        ({}, ["lost 1.1", "dispatch 1.2"]),
        ({"attempt": 2}, []),
        ({"step": 2}, []),
        ({"chain": 7}, []),
        ({"epoch": 4}, []),
    ],
    ids=["what is in flight", "another attempt", "another step", "another chain", "another incarnation's"],
)
def test_only_what_a_chain_waits_for_is_given_up_when_its_message_is_dead_lettered(
    found: dict[str, int], happens: list[str]
) -> None:
    chains = dispatched_once(epoch=5)
    actions = chains.dead_lettered(make_message(**{"epoch": 5, **found}))
    assert [told(action) for action in actions] == happens
    assert [action.dead_lettered for action in actions if isinstance(action, RecordLost)] == [True] * bool(happens)


def test_a_message_that_is_found_dead_lettered_again_and_again_costs_one_attempt() -> None:
    chains, message = dispatched_once(), make_message()
    (_, again) = chains.dead_lettered(message)
    assert isinstance(again, Dispatch)
    assert chains.dead_lettered(message) == []
    chains.sent(again, 2_000, 10)
    assert chains.dead_lettered(message) == []


def test_a_dead_letter_of_an_attempt_that_an_earlier_incarnation_sent_is_that_attempt() -> None:
    chains = make_chains(epoch=5)
    past = Past(chain=1, step=1, payload=make_ref(), attempt=1, retryable=None, ended=None)
    assert chains.resume([past]) == []
    assert [told(action) for action in chains.dead_lettered(make_message(epoch=1))] == ["lost 1.1", "dispatch 1.2"]
