"""The loop between a state machine and a channel: what it does first, and what it does when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.channels import Arrival, Arrivals, Sent, Stray
from orchestrator.run import loop as loop_module
from orchestrator.run.chain import Chains
from orchestrator.run.lines import Event, Failure, Line
from orchestrator.run.loop import RunLoop
from stepbench.errors import EnvironmentRefused
from stepbench.messages import Completion, StepMessage
from stepbench.queues import MAX_WAIT_SECONDS
from stepbench.samples import Sample
from tests.factories import make_done, make_failed, make_ref
from tests.orchestrator.report.sample_factory import make_plan

STALL_SECONDS = 300.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Stage:
    """A channel and a journal in one, which write down in which order they are used."""

    def __init__(self, clock: Clock, script: Sequence[Arrivals | BaseException], *, silent: bool = True) -> None:
        self.clock = clock
        self.happened: list[str] = []
        self.lines: list[Line] = []
        self.sent: list[StepMessage] = []
        self.waits: list[float] = []
        self.observed: list[tuple[int, int]] = []
        self.checks = 0
        self.looked_at: list[float] = []
        self.dead_attempts: tuple[int, ...] = ()
        self._script = list(script)
        self._silent = silent

    # --- the channel

    def send(self, messages: Sequence[StepMessage]) -> list[Sent]:
        self.happened.append("send " + " ".join(f"{m.chain}.{m.step}.{m.attempt}" for m in messages))
        self.sent += messages
        return [Sent(began_at_ns=1_000 * len(self.sent), call_ns=10) for _ in messages]

    def receive(self, wait_seconds: float) -> Arrivals:
        self.waits.append(wait_seconds)
        turn = self._script.pop(0)
        if isinstance(turn, BaseException):
            raise turn
        if not turn.completions:
            self.clock.seconds += wait_seconds
        return turn

    def accept(self, arrivals: Sequence[Arrival]) -> None:
        if arrivals:
            self.happened.append("accept " + " ".join(arrival.receipt for arrival in arrivals))

    def hand_back(self, arrivals: Sequence[Arrival]) -> None:
        self.happened.append("hand back " + " ".join(arrival.receipt for arrival in arrivals))

    def is_silent(self) -> bool:
        self.happened.append("is silent?")
        return self._silent

    def dead_letters(self) -> list[StepMessage]:
        self.looked_at.append(self.clock.seconds)
        return [message for message in self.sent if message.attempt in self.dead_attempts]

    def abandon(self) -> None:
        return

    def close(self) -> None:
        self.happened.append("close")

    # --- the journal, the view, the site

    path = "out/metrics.jsonl"

    def write(self, lines: Sequence[Line]) -> None:
        if lines:
            self.happened.append("write " + " ".join(told(line) for line in lines))
            self.lines += lines

    def observe(self, lines: Sequence[Line], in_flight: int) -> None:
        assert all(line in self.lines for line in lines), "written before it is shown"
        self.observed.append((len(lines), in_flight))

    def check(self) -> None:
        self.checks += 1


def told(line: Line) -> str:
    if isinstance(line, Sample):
        return f"sample-{line.chain}.{line.step}.{line.attempt}"
    if isinstance(line, Failure):
        return f"failure-{line.chain}.{line.step}.{line.attempt}"
    assert isinstance(line, Event)
    return line.event if line.step is None else f"{line.event}-{line.chain}.{line.step}.{line.attempt}"


def arrived(*completions: Completion, strays: Sequence[Stray] = ()) -> Arrivals:
    names = [f"{c.chain}.{c.step}.{c.attempt}" for c in completions]
    arrivals = [
        Arrival(completion, 50_000, 0, 1, receipt) for completion, receipt in zip(completions, names, strict=True)
    ]
    return Arrivals(arrivals, list(strays))


NOTHING = Arrivals()


def run(
    monkeypatch: pytest.MonkeyPatch,
    *script: Arrivals | BaseException,
    silent: bool = True,
    dead_attempts: tuple[int, ...] = (),
    **plan: Any,
) -> Stage:
    clock = Clock()
    monkeypatch.setattr(loop_module, "monotonic", clock)
    stage = Stage(clock, script, silent=silent)
    stage.dead_attempts = dead_attempts
    made = make_plan(
        **{"chains": 1, "steps": 1, "concurrency": 1, "warmup_steps": 0, "stall_timeout_seconds": STALL_SECONDS, **plan}
    )
    chains = Chains(
        chains=made.chains,
        steps=made.steps,
        concurrency=made.concurrency,
        warmup_steps=made.warmup_steps,
        max_attempts=made.max_attempts,
        payload=make_ref(),
    )
    journal: Any = stage
    try:
        RunLoop(made, 1, chains, stage, journal, stage.observe, stage.check).run(chains.start())
    except (EnvironmentRefused, KeyboardInterrupt):
        stage.happened.append("ended")
    return stage


def test_a_sample_is_written_before_the_next_step_is_announced_sent_and_the_completion_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = run(monkeypatch, arrived(make_done()), arrived(make_done(step=2)), steps=2)
    assert stage.happened == [
        "write dispatching-1.1.1",
        "send 1.1.1",
        "write sample-1.1.1 dispatching-1.2.1",
        "send 1.2.1",
        "accept 1.1.1",
        "write sample-1.2.1 chain_finished",
        "accept 1.2.1",
    ]


def test_a_run_that_cannot_write_sends_and_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Stage, lines: Sequence[Line]) -> None:
        if any(isinstance(line, Sample) for line in lines):
            raise EnvironmentRefused("the disk is full")
        self.lines += lines

    monkeypatch.setattr(Stage, "write", refuse)
    stage = run(monkeypatch, arrived(make_done()), steps=2)
    assert stage.happened == ["send 1.1.1", "hand back 1.1.1", "ended"]


def test_an_interrupt_ends_the_loop_where_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, KeyboardInterrupt())
    assert stage.happened == ["write dispatching-1.1.1", "send 1.1.1", "ended"]


def test_all_chains_that_may_be_in_flight_are_sent_together(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(
        monkeypatch,
        arrived(make_done(chain=2), make_done(chain=1)),
        arrived(make_done(chain=3)),
        chains=3,
        concurrency=2,
    )
    assert [happened for happened in stage.happened if happened.startswith("send")] == [
        "send 1.1.1 2.1.1",
        "send 3.1.1",
    ]
    assert [in_flight for _, in_flight in stage.observed] == [2, 1, 0]


def test_a_step_that_became_void_is_neither_announced_nor_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    failed, done = make_failed(), make_done()
    stage = run(monkeypatch, arrived(failed, done), arrived(make_done(step=2)), steps=2)
    assert stage.happened[2] == "write failure-1.1.1 sample-1.1.1 dispatching-1.2.1"
    assert stage.happened[3] == "send 1.2.1"


def test_a_step_message_says_all_that_a_worker_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, arrived(make_done(chain=-1)), arrived(make_done()), warmup_steps=1, serializer="arrow")
    warmup, step = stage.sent
    plan = make_plan(serializer="arrow")
    assert (warmup.chain, step.chain) == (-1, 1)
    assert step.input == make_ref()
    assert step.output.key_prefix == f"s3://{plan.bucket}/{plan.payloads_prefix}chain00001-step00001-"
    assert step.output.serializer == "arrow"
    assert step.results_queue_url == plan.results_queue_url
    announced = [line for line in stage.lines if isinstance(line, Event) and line.event == "dispatching"]
    assert announced[1].output_prefix == step.output.key_prefix


def test_a_failure_is_written_with_its_error_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, arrived(make_failed()), arrived(make_done(attempt=2)))
    (failure,) = [line for line in stage.lines if isinstance(line, Failure)]
    assert (failure.error_class, failure.phase, failure.retryable) == ("SlowDown", "download", True)
    assert stage.happened[2:5] == ["write failure-1.1.1 dispatching-1.1.2", "send 1.1.2", "accept 1.1.1"]


def test_duplicates_are_written_and_accepted_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, arrived(make_done(), make_done()), arrived(make_done(step=2)), steps=2)
    assert stage.happened[2:5] == [
        "write sample-1.1.1 duplicate-1.1.1 dispatching-1.2.1",
        "send 1.2.1",
        "accept 1.1.1 1.1.1",
    ]


def test_strays_are_written_and_nothing_follows_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, arrived(strays=[Stray("foreign", "r2"), Stray("expired", "r3")]), arrived(make_done()))
    assert "write foreign expired" in stage.happened
    assert "is silent?" not in stage.happened


def test_a_poll_is_never_longer_than_sqs_allows_nor_much_longer_than_patience_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = run(monkeypatch, *[NOTHING] * 5, arrived(make_done(attempt=1)), stall_timeout_seconds=40.0, silent=False)
    # In time for each look at the dead letters. Beyond patience, a backlog that is still there is looked at rarely.
    assert stage.waits == [10.0] * 4 + [MAX_WAIT_SECONDS] * 2
    stage = run(monkeypatch, *[NOTHING] * 2, arrived(make_done(attempt=1)), stall_timeout_seconds=100.0, silent=False)
    assert stage.waits == [MAX_WAIT_SECONDS, 5.0, MAX_WAIT_SECONDS]


def test_a_step_is_lost_only_after_a_long_silence_with_the_queue_found_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = int(STALL_SECONDS / MAX_WAIT_SECONDS) + 1
    stage = run(monkeypatch, *[NOTHING] * turns, arrived(make_done(attempt=2)))
    assert stage.happened == [
        "write dispatching-1.1.1",
        "send 1.1.1",
        "is silent?",
        "is silent?",
        "write lost-1.1.1 dispatching-1.1.2",
        "send 1.1.2",
        "write sample-1.1.2 chain_finished",
        "accept 1.1.2",
    ]


def test_what_was_answered_at_the_last_look_is_received_before_its_step_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = int(STALL_SECONDS / MAX_WAIT_SECONDS)
    stage = run(monkeypatch, *[NOTHING] * turns, arrived(make_done()))
    assert stage.happened[2:] == ["is silent?", "write sample-1.1.1 chain_finished", "accept 1.1.1"]


def test_a_step_whose_message_is_found_dead_lettered_is_dispatched_again_long_before_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = run(monkeypatch, NOTHING, NOTHING, arrived(make_done(attempt=2)), dead_attempts=(1,), silent=False)
    assert stage.happened[2:4] == ["write lost-1.1.1 dispatching-1.1.2", "send 1.1.2"]
    assert stage.clock.seconds - 1_000.0 == loop_module.LOOK_AFTER_SECONDS < STALL_SECONDS
    (lost,) = [line for line in stage.lines if isinstance(line, Event) and line.event == "lost"]
    assert lost.message is not None
    assert "dead-letter queue" in lost.message


def test_a_step_whose_last_attempt_is_dead_lettered_fails_its_chain_and_says_where_its_message_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = run(monkeypatch, NOTHING, NOTHING, dead_attempts=(1,), max_attempts=1)
    (failure,) = [line for line in stage.lines if isinstance(line, Failure)]
    assert (failure.error_class, failure.phase) == ("StepLost", None)
    assert failure.message.startswith("its message is in the dead-letter queue")


def test_the_dead_letters_are_not_looked_at_while_completions_come(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, NOTHING, arrived(make_done()), NOTHING, arrived(make_done(step=2)), steps=2)
    assert stage.looked_at == []
    stage = run(monkeypatch, *[NOTHING] * 4, arrived(make_done()), steps=1)
    assert [at - 1_000.0 for at in stage.looked_at] == [40.0, 60.0, 80.0]


def test_waiting_in_a_backlog_is_no_failure_however_long_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = int(3 * STALL_SECONDS / MAX_WAIT_SECONDS)
    stage = run(monkeypatch, *[NOTHING] * turns, arrived(make_done()), silent=False)
    assert "is silent?" in stage.happened
    assert not any("lost" in happened for happened in stage.happened)


def test_whatever_comes_of_the_run_begins_the_silence_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = int(STALL_SECONDS / MAX_WAIT_SECONDS) - 1
    stage = run(
        monkeypatch,
        *[NOTHING] * turns,
        arrived(make_done(chain=1)),
        *[NOTHING] * turns,
        arrived(make_done(chain=2)),
        chains=2,
        concurrency=2,
    )
    assert "is silent?" not in stage.happened


def test_completions_of_other_runs_are_no_sign_of_life_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = int(STALL_SECONDS / MAX_WAIT_SECONDS) + 1
    others = arrived(strays=[Stray("foreign", "r2")])
    stage = run(monkeypatch, *[others] * turns, arrived(make_done(attempt=2)))
    assert "write lost-1.1.1 dispatching-1.1.2" in stage.happened


def test_a_step_that_is_sent_again_is_waited_for_as_long_as_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = int(STALL_SECONDS / MAX_WAIT_SECONDS)
    stage = run(monkeypatch, *[NOTHING] * 2 * turns, arrived(make_done(attempt=2)))
    assert stage.happened.count("is silent?") == 2


def test_steps_that_are_lost_again_and_again_fail_their_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = int(STALL_SECONDS / MAX_WAIT_SECONDS)
    stage = run(monkeypatch, *[NOTHING] * (turns + 1) * 2, max_attempts=2)
    assert stage.happened[-1] == "write failure-1.1.2 lost-1.1.2 chain_finished"
    finished = stage.lines[-1]
    assert isinstance(finished, Event)
    assert finished.ok is False


def test_whether_the_run_may_go_on_is_asked_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, arrived(make_done())).checks == 1
    assert run(monkeypatch, NOTHING, NOTHING, arrived(make_done())).checks == 3


def test_nothing_is_done_about_what_came_in_where_the_run_may_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(stage: Stage) -> None:
        raise EnvironmentRefused("somebody else goes on with it")

    monkeypatch.setattr(Stage, "check", refuse)
    stage = run(monkeypatch, arrived(make_done()), steps=2)
    assert stage.happened == ["write dispatching-1.1.1", "send 1.1.1", "hand back 1.1.1", "ended"]


def test_an_answer_from_beyond_all_clocks_is_no_newer_orchestrators(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, arrived(make_done(epoch=2**59), make_done()))
    assert stage.happened[2:] == ["write duplicate-1.1.1 sample-1.1.1 chain_finished", "accept 1.1.1 1.1.1"]


def test_what_a_newer_orchestrator_had_done_is_left_to_it_and_ends_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = run(monkeypatch, arrived(make_done(chain=1), make_done(chain=2, epoch=2)), chains=2, concurrency=2)
    assert stage.happened[2:] == ["hand back 1.1.1 2.1.1", "ended"]
