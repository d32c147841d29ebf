"""The harness finds what it is for: each breach of a promise that is made here on purpose is found and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.channels import Arrival
from orchestrator.run import chain as machine
from orchestrator.run import history, loop, telling
from orchestrator.run.chain import Chains, Dispatch, Past, Record, RecordDuplicate, RecordFailure, State
from orchestrator.run.history import History
from orchestrator.run.journal import Journal
from orchestrator.run.lines import Line
from orchestrator.run.loop import RunLoop
from stepbench.messages import Completion, StepError
from tests.chaos import __main__ as program
from tests.chaos.figures import Figures, Harm
from tests.chaos.schedules import schedule
from tests.chaos.schedules import worker as worker_module

MOST_SCHEDULES = 300

Sabotage = Callable[[pytest.MonkeyPatch], None]


def performing(order: Sequence[str]) -> Sabotage:
    """The loop's three deeds of a turn, in another order."""

    def perform(self: RunLoop, actions: Sequence[machine.Action], arrivals: Sequence[Arrival]) -> None:
        dispatches = [action for action in actions if isinstance(action, Dispatch) and self._chains.is_due(action)]
        lines = telling.lines_of(actions, arrivals, self._plan.run_id)
        lines += [telling.announcement(dispatch, self._epoch, "s3://bucket/prefix") for dispatch in dispatches]
        deeds: dict[str, Callable[[], None]] = {
            "write": lambda: self._journal.write(lines),
            "send": lambda: self._send(dispatches),
            "accept": lambda: self._channel.accept(arrivals),
        }
        for deed in order:
            deeds[deed]()

    return lambda monkeypatch: monkeypatch.setattr(RunLoop, "_perform", perform)


def remembering(change: Callable[[Past], Past | None]) -> Sabotage:
    """A resume that reads something else in the file than what stands there."""
    read = history.read

    def misread(lines: Sequence[Line]) -> History:
        past = read(lines)
        chains = tuple(changed for chain in past.chains if (changed := change(chain)) is not None)
        return replace(past, chains=chains)

    return lambda monkeypatch: monkeypatch.setattr(history, "read", misread)


def accepting_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    completed = Chains.completed

    def accept(self: Chains, completion: Completion, now_ns: int) -> list[machine.Action]:
        actions = completed(self, completion, now_ns)
        if completion.ok and isinstance(actions[0], RecordDuplicate):
            return [Record(completion, completion.chain < 0, False, None, None, now_ns, None, None, None)]
        return actions

    monkeypatch.setattr(Chains, "completed", accept)


def counting_failures_of_older_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Chains, chain: Any, completion: Completion, error: StepError) -> Iterator[machine.Action]:
        if chain.state is not State.IN_FLIGHT:
            yield RecordDuplicate(completion)
            return
        yield RecordFailure(completion, error)
        yield from self._try_again_or_give_up(chain, error.retryable)

    monkeypatch.setattr(Chains, "_attempt_failed", fail)


def knowing_no_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    take_up = Chains._take_up

    def forget(self: Chains, chain: Any, past: Past, retry_failed: bool) -> None:
        take_up(self, chain, past, retry_failed)
        chain.step_interrupted = False

    monkeypatch.setattr(Chains, "_take_up", forget)


def going_on_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    end = Chains._end

    def go_on(self: Chains, chain: Any) -> Iterator[machine.Action]:
        yield from end(self, chain)
        if chain.state is State.FAILED:
            chain.state, chain.attempt = State.DUE, chain.attempt + 1
            yield Dispatch(chain.number, chain.step, chain.attempt, chain.payload)

    monkeypatch.setattr(Chains, "_end", go_on)


def telling_no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Chains._before

    def without(chain: Any, dispatched_at_ns: int) -> tuple[int | None, int | None]:
        turnaround_ns, retry_ns = before(chain, dispatched_at_ns)
        return turnaround_ns, retry_ns and 0

    monkeypatch.setattr(Chains, "_before", staticmethod(without))


def giving_up_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_left(self: RunLoop) -> bool:
        clock: Any = loop  # whose clock is the schedule's
        silent_seconds: float = clock.monotonic() - self._heard_at
        return silent_seconds >= self._plan.stall_timeout_seconds

    monkeypatch.setattr(RunLoop, "_nothing_left", nothing_left)


def setting(owner: Any, name: str, value: Any) -> Sabotage:
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


SABOTAGE: dict[str, tuple[Sabotage, Harm, str]] = {
    "a step is sent before it is announced": (
        performing(("send", "write", "accept")),
        "other promises broken",
        "not announced",
    ),
    "a completion is deleted before its sample is written": (
        performing(("accept", "write", "send")),
        "samples lost",
        "is deleted and",
    ),
    "a duplicate is accepted": (accepting_duplicates, "samples counted twice", "a second sample"),
    "attempts are forgotten by a resume": (
        remembering(lambda past: replace(past, attempts_before=past.attempt)),
        "other promises broken",
        "beyond its",
    ),
    "what was announced is forgotten by a resume": (
        remembering(lambda past: past if past.ended is not None else replace(past, attempt=0)),
        "other promises broken",
        "is given up after",
    ),
    "a chain is forgotten by a resume": (
        remembering(lambda past: None if past.chain == 1 else past),
        "other promises broken",
        "is given up after",
    ),
    "an end is forgotten by a resume": (
        remembering(lambda past: replace(past, ended=None)),
        "other promises broken",
        "ended twice",
    ),
    "losses are forgotten by a resume": (
        remembering(lambda past: replace(past, lost=frozenset())),
        "other promises broken",
        "is not flagged late",
    ),
    "a resume has the epoch of the life before it": (
        setting(history, "next_epoch", lambda *known, now_seconds: max(known)),
        "other promises broken",
        "epoch 1 follows 1",
    ),
    "a resume knows no epoch that its copy of the metrics file does not know": (
        setting(history, "next_epoch", lambda *known, now_seconds: max(known) + 1),
        "other promises broken",
        "follows",
    ),
    "a torn line is not cut off": (
        setting(Journal, "cut", lambda self, whole_bytes: None),
        "other promises broken",
        "is damaged",
    ),
    "a failure of an older attempt counts": (
        counting_failures_of_older_attempts,
        "other promises broken",
        "counts",
    ),
    "a failed chain goes on": (going_on_after_the_end, "other promises broken", "has ended"),
    "an interruption is not known after a resume": (
        knowing_no_interruption,
        "other promises broken",
        "differ from the stamps",
    ),
    "retries are in no figure": (telling_no_retries, "other promises broken", "differ from"),
    "steps are given up without waiting": (
        setting(RunLoop, "_nothing_left", lambda self: self._channel.is_silent()),
        "other promises broken",
        "is given up",
    ),
    "steps are given up that wait in a queue": (
        giving_up_without_a_look,
        "other promises broken",
        "not found empty",
    ),
    "steps are never given up": (setting(RunLoop, "_nothing_left", lambda self: False), "hangs", "has not ended"),
    "two executions write one key": (
        setting(worker_module, "_new_key", lambda prefix, suffix: f"{prefix}.{suffix}"),
        "keys written twice",
        "was written twice",
    ),
}


def first_found() -> Figures:
    for seed in range(1, MOST_SCHEDULES):
        figures = schedule.play(seed)
        if figures.failures:
            return figures
    return Figures()


@pytest.mark.parametrize(("sabotage", "harm", "words"), SABOTAGE.values(), ids=SABOTAGE.keys())
def test_what_is_broken_on_purpose_is_found(
    sabotage: Sabotage, harm: Harm, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch)
    figures = first_found()
    (text,) = figures.failures
    assert figures.harms == {harm: 1}, text
    assert words in text


def test_what_is_found_is_told_with_the_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accepting_duplicates(monkeypatch)
    assert program.main(["schedules", "--rounds", "20"]) == 1
    told = capsys.readouterr()
    _, _, seed = told.err.splitlines()[1].rpartition(" ")
    assert "samples counted twice" in told.out

    assert program.main(["schedules", "--rounds", "1", "--seed", seed]) == 1
    assert capsys.readouterr().err.startswith(f"seed {seed}: ")
